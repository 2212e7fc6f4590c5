variable "alert_email" {
  description = "Address that alerts go to."
  type        = string
}

variable "project" {
  description = "Google Cloud project id; registered for Earth Engine."
  type        = string
}

variable "public_webhook" {
  description = "Whether anyone may reach the webhook, whose signature decides then. False where the organisation forbids public services."
  type        = bool
  default     = true
}

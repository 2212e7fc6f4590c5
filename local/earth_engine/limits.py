"""What Earth Engine refuses, each limit with its source, and a model of what a request costs.

None of it can be switched off. Where Google publishes a number it is that number; where it publishes none, the number
is the smallest that is known to be refused or the largest that is known to work, and says so.
"""

# "Too many concurrent aggregations": the guide on debugging names the cause, a reduceRegion mapped over a collection,
# and no number (earthengine-community, samples/javascript/guides/debugging.js). A few dozen work; hundreds fail.
MOST_AGGREGATIONS = 50
TOO_MANY_AGGREGATIONS = "Quota exceeded: Too many concurrent aggregations."

# Concurrent interactive requests of a project (developers.google.com/earth-engine/guides/usage).
MOST_REQUESTS_AT_ONCE = 40
TOO_MANY_REQUESTS = (
    "Too Many Requests: Request was rejected because the request rate or concurrency limit was exceeded."
)

# Body of a request, and elements of a listing: "Collection query aborted after accumulating over 5000 elements".
MOST_PAYLOAD_BYTES = 10_485_760
MOST_ELEMENTS = 5_000

# One answer of computePixels (developers.google.com/earth-engine/reference/rest, projects.image.computePixels: 48 MB
# uncompressed, 32K pixels a side, 1,024 bands), in the service's words as seen in use. Beside its own bytes each value
# has one of its mask (google/Xee, issue 209).
MOST_PIXEL_BYTES = 50_331_648
MOST_PIXELS_A_SIDE = 32_768
MOST_BANDS = 1_024
MASK_BYTES = 1
TOO_MANY_BYTES = "Total request size ({found} bytes) must be less than or equal to {most} bytes."
TOO_MANY_PIXELS = "Pixel grid dimensions ({width}x{height}) must be less than or equal to {most}."
TOO_MANY_BANDS = "Number of bands ({found}) must be less than or equal to {most}."

# "Output of image computation is too large (20 bands for 851,968 pixels = 126.8 MiB > 80.0 MiB)" is what a reduction of
# twenty bands answered in use. A tile of an aggregation has at most 1,024² pixels, less by the square of tileScale,
# which goes from 1 to 16 ("Valid tileScales are 1 to 16").
MOST_TILE_BYTES = 80 * 2**20
TILE_PIXELS = 1024 * 1024
TILE_SCALES = (1.0, 16.0)

# "User memory limit exceeded.": no number is published. What a tile reads of all images of a stack is held to this; the
# published one-year mode over Dane County (some 250 images of one label band, default tiles) is within it.
MOST_WORKING_BYTES = 512 * 2**20
OUT_OF_MEMORY = "User memory limit exceeded."

# A request ends after five minutes (same page), with status 400 and these words.
MOST_SECONDS = 300.0
TIMED_OUT = "Computation timed out."

# What a request costs, a model: a year's mode of one label over some 3,200 km² (3.2e7 pixels × 100 views and more) ends
# within an interactive request, as the tutorial on Dynamic World shows, and larger ones time out; twenty bands of one
# overpass over 2,000 km² (2e7 pixels) take a fifth of the time there is; fifty layers of a small area a quarter of a
# minute, a thousand small areas on one layer somewhat more; a listing of 5,000 elements twenty seconds.
SECONDS_PER_REQUEST = 1.0
SECONDS_PER_LAYER = 0.28
SECONDS_PER_REGION = 0.015
SECONDS_PER_PIXEL_READ = 8e-8
SECONDS_PER_PIXEL_WRITTEN = 1e-7
SECONDS_PER_ELEMENT = 0.002

# A second of the model is a thousandth of a second here: requests are waited for, and nobody waits for minutes.
SECONDS_SCALE = 0.001

# Weights of edge pixels are 8-bit integers, and less than about 1/256 rounds down to 0
# (developers.google.com/earth-engine/guides/reducers_weighting). How the rest rounds is published nowhere: this
# meets Earth Engine's own areas of a real 27 km² area within 24 m² in the worst class; exact shares miss by 194 m².
WEIGHT_STEPS = 255
WEIGHT_OFFSET = 0.25

# What a new project meets in its first minutes, in Earth Engine's words as seen in use.
REFUSALS = (
    "Earth Engine API has not been used in project {project} before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/earthengine.googleapis.com/overview?project={project} then retry. "
    "If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
    "Project 'projects/{project}' is not registered to use Earth Engine. Visit "
    "https://console.cloud.google.com/earth-engine/configuration?project={project} to register.",
    "Permission 'earthengine.computations.create' denied on resource 'projects/{project}' (or it may not exist).",
    "Caller does not have required permission to use project {project}. Grant the caller the "
    "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission. "
    "Propagation of the new permission may take a few minutes.",
)

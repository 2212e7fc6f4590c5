"""The shared definition of subscriptions in Pub/Sub's own words, as Terraform makes them."""

from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy
from google.pubsub_v1.types import Subscription as GoogleSubscription

from shared.messages.bodies import Topic
from shared.messages.subscriptions import Subscription

# Where a dead letter ends that could not even be recorded.
UNRECORDED_TOPIC = "dead-letters-unrecorded"


def filter_of(subscription: Subscription) -> str:
    """The attributes that a subscription takes, as a filter."""
    return " AND ".join(f'attributes.{key} = "{value}"' for key, value in subscription.filter.items())


def subscription_of(
    subscription: Subscription, project: str, functions_url: str, prefix: str = ""
) -> GoogleSubscription:
    """One subscription, pushing to ``functions_url/FUNCTION/`` without an identity. ``prefix`` begins all names."""
    dead = UNRECORDED_TOPIC if subscription.topic == Topic.DEAD_LETTERS else Topic.DEAD_LETTERS
    return GoogleSubscription(
        name=f"projects/{project}/subscriptions/{prefix}{subscription.name}",
        topic=f"projects/{project}/topics/{prefix}{subscription.topic}",
        push_config=PushConfig(push_endpoint=f"{functions_url}/{subscription.function}/"),
        ack_deadline_seconds=subscription.ack_deadline_seconds,
        filter=filter_of(subscription),
        retry_policy=RetryPolicy(
            minimum_backoff=Duration(seconds=subscription.minimum_backoff_seconds),
            maximum_backoff=Duration(seconds=subscription.maximum_backoff_seconds),
        ),
        dead_letter_policy=DeadLetterPolicy(
            dead_letter_topic=f"projects/{project}/topics/{prefix}{dead}",
            max_delivery_attempts=subscription.max_delivery_attempts,
        ),
    )

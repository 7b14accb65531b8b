"""The models of the OpenAPI document."""

from till_client.generated.models import *  # noqa: F403 - all of them, under one name

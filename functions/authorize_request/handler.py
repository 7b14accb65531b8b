"""Tell API Gateway who is calling, and which operations their roles allow."""

import till.cold_start

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from till import bootstrap
from till.http.authorizer import Policy, authorize
from till.http.events import Event

logger = Logger()

bootstrap.verifier()


def lambda_handler(event: Event, context: LambdaContext) -> Policy:
    """Answer with the caller's policy, and who they are.

    Raises:
        UnauthorizedError: the token is not to be believed; API Gateway answers with 401.
        IdentityUnavailableError: it cannot be checked now; API Gateway answers with 503.
    """
    logger.set_correlation_id(context.aws_request_id)
    return authorize(event, bootstrap.verifier())


till.cold_start.end()

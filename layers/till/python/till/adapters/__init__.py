"""What the use cases need, made real: DynamoDB tables and the external HTTP APIs."""

"""What an operator can see of requests: the log's line, the data point of Analytics Engine, and the metrics."""

"""Real programs under test: Larder, Jaeger, OpenTelemetry SDKs and the official client."""

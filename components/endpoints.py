"""The addresses of one model, as the Open Inference Protocol has them. Pure."""


def endpoints(base_url: str, model_name: str) -> dict[str, str]:
    """By what they are for."""
    model_url = f"{base_url}/v2/models/{model_name}"
    return {
        "live": f"{base_url}/v2/health/live",
        "ready": f"{base_url}/v2/health/ready",
        "metadata": model_url,
        "modelReady": f"{model_url}/ready",
        "infer": f"{model_url}/infer",
    }

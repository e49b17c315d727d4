"""URLs of one model's endpoints, in the paths of the Open Inference Protocol. Pure."""


def endpoints(base_url: str, model_name: str) -> dict[str, str]:
    """Returns the URLs by purpose."""
    model_url = f"{base_url}/v2/models/{model_name}"
    return {
        "live": f"{base_url}/v2/health/live",
        "ready": f"{base_url}/v2/health/ready",
        "metadata": model_url,
        "modelReady": f"{model_url}/ready",
        "infer": f"{model_url}/infer",
    }

"""May a server talk without encryption? On this machine, yes; beyond it only where its operator asks for that."""

from ipaddress import ip_address


def refusal(host: str, names: str, *, encrypted: bool, wanted: bool) -> str:
    """Why a server must not listen on `host` like this, in a sentence; "" = it may. `names`: what its settings begin
    with, "GATEWAY"."""
    if encrypted or wanted or is_loopback(host):
        return ""
    return (
        f"{names}_HOST={host} is reached from other machines, and nothing is encrypted; set {names}_TLS_CERT_FILE and "
        f"{names}_TLS_KEY_FILE, or {names}_PLAINTEXT=true where a proxy or a mesh encrypts, or {names}_HOST=127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it; a name is not looked up."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"

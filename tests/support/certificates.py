"""A private CA and server certificates, made with the openssl command line."""

import subprocess
from pathlib import Path

_CA_CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Certificates:
    """Files in `folder`: ca.pem and, by name, <name>.crt with <name>.key.

    good: localhost and 127.0.0.1; expired: the same, over since 2020; wrong-host: another name;
    self-signed: not from this CA.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "ca.cnf").write_text(_CA_CONFIG.format(folder=self.folder))
        self._openssl("req", "-x509", *self._new_key("ca.key"), "-subj", "/CN=mailferry test CA",
                      "-days", "3650", "-out", self.ca)
        here = "DNS:localhost,IP:127.0.0.1"
        self._issue("good", here, "20200101000000Z", "20491231000000Z")
        self._issue("expired", here, "20190101000000Z", "20200101000000Z")
        self._issue("wrong-host", "DNS:elsewhere.example", "20200101000000Z", "20491231000000Z")
        self._openssl("req", "-x509", *self._new_key("self-signed.key"), "-subj", "/CN=localhost",
                      "-addext", f"subjectAltName={here}", "-days", "3650",
                      "-out", self.folder / "self-signed.crt")

    def pair(self, name):
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _new_key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                self.folder / name]

    def _issue(self, name, names, start, end):
        request = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
        self._openssl("req", *self._new_key(f"{name}.key"), "-subj", f"/CN={name}", "-out", request)
        self._openssl("ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-cert",
                      self.ca, "-keyfile", self.folder / "ca.key", "-startdate", start, "-enddate",
                      end, "-extfile", extensions, "-in", request, "-out",
                      self.folder / f"{name}.crt")

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")

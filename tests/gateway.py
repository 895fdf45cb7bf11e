"""A real S3 server for the tests: a one-node Ceph object gateway on loopback.

It needs Debian's packages ``radosgw ceph-mon ceph-osd ceph-common`` and ``openssl``. Everything it
writes lies in one folder; it speaks http and https, the latter with a certificate of an authority
made for the purpose. The daemons die with the program that started them.

``python tests/gateway.py [DIR]`` runs one in the foreground and prints what to export.
"""

import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
TOOLS = ("openssl", "setpriv")
PACKAGES = "radosgw ceph-mon ceph-osd ceph-common openssl util-linux"
INSTALL = f"apt-get install --no-install-recommends {PACKAGES}"
_DAEMONS = ("radosgw", "osd", "mon")  # in the order in which they stop
_START_S, _STOP_S = 90.0, 20.0
_TRIES = 3  # a free port may be taken by another between choice and start

_CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor_port}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = {root}/run
pid file = {root}/run/$name.pid
admin socket = {root}/run/$name.$pid.asok
log file = {root}/log/$name.log
mon cluster log file = {root}/log/cluster.log
crash dir = {root}/log
keyring = /dev/null
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool delete = true
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
log max recent = 500
ms mon client mode = crc     # else the gateway insists on a secure connection
paxos propose interval = 0.05  # else making pools takes minutes
paxos min wait = 0.01
debug rgw = 0
[mon]
mon data = {root}/data/mon
auth allow insecure global id reclaim = false
[osd]
osd data = {root}/data/osd
osd objectstore = bluestore
bluestore block size = {store_bytes}
bluestore block create = true
bluestore fsck on mount = false
bluestore cache autotune = false
bluestore cache size = 67108864
osd memory target = 939524096
osd op num shards = 2
osd class default list = *
osd class load list = *
[client.rgw]
rgw data = {root}/data/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} ssl_endpoint=127.0.0.1:{tls_port} \
ssl_certificate={root}/tls/server.pem ssl_private_key={root}/tls/server.pem
rgw enable usage log = false
rgw enable ops log = false
rgw thread pool size = 64
rgw s3 auth use keystone = false
rgw crypt require ssl = false
rgw override bucket index max shards = 1
rgw dynamic resharding = false
"""


class GatewayError(Exception):
    """The gateway did not start; the message names the folder of its logs."""


def find_missing() -> list[str]:
    """List the programs that the gateway needs and this machine lacks."""
    return [name for name in (*PROGRAMS, *TOOLS) if shutil.which(name) is None]


@dataclass
class Gateway:
    """One gateway; ``start`` after ``stop`` or ``kill`` goes on with the same data and ports."""

    root: Path
    access_key: str = field(default_factory=lambda: f"TEST{uuid.uuid4().hex[:16].upper()}")
    secret_key: str = field(default_factory=lambda: uuid.uuid4().hex + uuid.uuid4().hex[:8])
    store_bytes: int = 20 << 30  # of a sparse file: only what is written takes room
    port: int = 0
    tls_port: int = 0
    _daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_endpoint(self) -> str:
        return f"https://localhost:{self.tls_port}"

    @property
    def ca_file(self) -> Path:
        return self.root / "tls" / "ca.pem"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which boto3's own chain finds the keys."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def _conf(self) -> Path:
        return self.root / "ceph.conf"

    def start(self) -> None:
        """Start the daemons and wait until they answer; call it in the program's main thread.

        Raises:
            GatewayError: They do not answer, or a program is missing.
        """
        if missing := find_missing():
            raise GatewayError(f"{', '.join(missing)} missing: {INSTALL}")
        for _ in range(_TRIES):
            is_new = not (self.root / "ready").exists()
            try:
                self._start(is_new=is_new)
            except (GatewayError, subprocess.SubprocessError) as error:
                self.kill()
                why = error
                if is_new:
                    shutil.rmtree(self.root / "data", ignore_errors=True)
            else:
                return
        raise GatewayError(f"{why}; see {self.log}\n{self._last_words()}") from why

    def _start(self, *, is_new: bool) -> None:
        if is_new:
            self._prepare()
        self._spawn("mon", "ceph-mon", "-i", "a")
        self._run("ceph", "--connect-timeout", "30", "mon", "stat")
        if is_new:
            name = str(uuid.uuid4())
            self._run("ceph", "osd", "new", name, "0")
            self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", name)
        self._spawn("osd", "ceph-osd", "-i", "0")
        if is_new:
            keys = (f"--access-key={self.access_key}", f"--secret-key={self.secret_key}")
            self.admin("user", "create", "--uid=archive", "--display-name=archive", *keys)
            (self.root / "ready").touch()
        self.start_gateway()

    def _prepare(self) -> None:
        for name in ("data/mon", "data/osd", "data/rgw", "run", "log", "tls"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        monitor_port, self.port, self.tls_port = find_free_ports(3)
        fsid = str(uuid.uuid4())
        self._conf.write_text(
            _CONF.format(
                fsid=fsid,
                root=self.root,
                monitor_port=monitor_port,
                port=self.port,
                tls_port=self.tls_port,
                store_bytes=self.store_bytes,
            )
        )
        make_certificates(self.root / "tls")
        monmap = str(self.root / "monmap")
        monitor = f"[v2:127.0.0.1:{monitor_port}]"
        self._call(
            ["monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", monitor, monmap]
        )
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)

    def start_gateway(self) -> None:
        """Start only the part that speaks S3, after ``kill_gateway``."""
        self._spawn("radosgw", "radosgw", "-n", "client.rgw")
        deadline = time.monotonic() + _START_S
        while not self.is_up():
            process = self._daemons["radosgw"]
            if process.poll() is not None or time.monotonic() > deadline:
                raise GatewayError("the gateway did not come up")
            time.sleep(0.1)

    def is_up(self) -> bool:
        context = ssl.create_default_context(cafile=self.ca_file)
        for address in (self.endpoint, self.tls_endpoint):
            secure = context if address.startswith("https") else None
            try:
                urllib.request.urlopen(address, timeout=3, context=secure).close()
            except urllib.error.HTTPError as error:
                error.close()  # an answer all the same
            except OSError:
                return False
        return True

    def stop(self) -> None:
        """Stop everything in order; the data stay."""
        self._end(signal.SIGTERM, _DAEMONS)

    def kill(self) -> None:
        """Kill everything at once, as a power cut would; the data stay."""
        self._end(signal.SIGKILL, _DAEMONS)

    def kill_gateway(self) -> None:
        """Kill only the part that speaks S3: it is back within a second."""
        self._end(signal.SIGKILL, ("radosgw",))

    def wipe(self) -> None:
        """Stop and remove the data; the logs stay."""
        self.stop()
        (self.root / "ready").unlink(missing_ok=True)
        shutil.rmtree(self.root / "data", ignore_errors=True)

    def admin(self, *arguments: str) -> str:
        """Run radosgw-admin: users, quotas, suspension; what it printed."""
        return self._run("radosgw-admin", *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        return self._call([program, "-c", str(self._conf), *arguments])

    def _call(self, command: list[str]) -> str:
        with (self.log / "commands.err").open("ab") as errors:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=errors, check=True, timeout=120
            )
        return done.stdout.decode()

    def _spawn(self, name: str, program: str, *arguments: str) -> None:
        # setpriv: whatever ends the tests ends the daemons.
        command = ["setpriv", "--pdeathsig", "KILL", program, "-c", str(self._conf), *arguments]
        with (self.log / f"{name}.out").open("ab") as out:
            self._daemons[name] = subprocess.Popen(
                [*command, "-f"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _end(self, number: signal.Signals, names: tuple[str, ...]) -> None:
        for name in names:
            process = self._daemons.pop(name, None)
            if process is None:
                continue
            process.send_signal(number)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _last_words(self) -> str:
        outs = [*self.log.glob("*.out"), *self.log.glob("*.err")]
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-800:]}" for path in outs)


def find_free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def make_certificates(folder: Path) -> None:
    """Make an authority (ca.pem) and a server certificate with its key (server.pem)."""
    extensions = folder / "extensions"
    extensions.write_text(
        "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
        "extendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        folder,
        *["req", "-x509", *new_key, "-days", "30", "-subj", "/CN=test authority"],
        *["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
        *["-keyout", "ca.key", "-out", "ca.pem"],
    )
    _openssl(
        folder,
        *["req", *new_key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"],
    )
    _openssl(
        folder,
        *["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30"],
        *["-CAcreateserial", "-extfile", "extensions", "-out", "server.crt"],
    )
    parts = [(folder / name).read_text() for name in ("server.crt", "server.key")]
    (folder / "server.pem").write_text("".join(parts))


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="gateway-"))
    gateway = Gateway(folder.resolve())
    gateway.start()
    try:
        for name, value in gateway.environment.items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.write(f"export AWS_ENDPOINT_URL={gateway.endpoint}\n")
        sys.stdout.write(f"# or {gateway.tls_endpoint} with AWS_CA_BUNDLE={gateway.ca_file}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        gateway.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()

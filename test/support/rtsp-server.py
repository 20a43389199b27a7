# Owns: an RTSP server on loopback that plays an H.264 MP4 as a camera would, for tests.
# Must not know: the code under test.

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
if len(sys.argv) < 3:
    needed = ["qtdemux", "h264parse", "rtph264pay"]
    missing = [name for name in needed if Gst.ElementFactory.find(name) is None]
    sys.exit(f"GStreamer lacks {', '.join(missing)}" if missing else 0)

port, file = sys.argv[1:3]
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    f'( filesrc location="{file}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )'
)
server.get_mount_points().add_factory("/cam", factory)
if server.attach(None) == 0:
    sys.exit(f"cannot listen on port {port}")
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()

"""What does a gateway serve?"""

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc as rpc

from voice_client.errors import Unreachable, of_status
from voice_client.grpc_stream import call_metadata, open_channel
from voice_client.options import CallOptions


async def server_info(target: str, options: CallOptions | None = None) -> pb.ServerInfo:
    """The answer of the gateway at `target`, within `connect_timeout_s`. Raises VoiceError."""
    chosen = options or CallOptions()
    metadata = call_metadata(chosen)
    channel = open_channel(target, chosen)
    try:
        info: pb.ServerInfo = await rpc.VoiceGatewayStub(channel).GetServerInfo(
            pb.GetServerInfoRequest(), timeout=chosen.connect_timeout_s, metadata=metadata
        )
        return info
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise Unreachable(f"{target} did not answer within {chosen.connect_timeout_s:g} s; try again") from error
        raise of_status(error, target) from error
    finally:
        await channel.close()

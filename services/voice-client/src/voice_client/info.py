"""What does a gateway serve?"""

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc as rpc

from voice_client.errors import Unreachable, of_status
from voice_client.grpc_stream import call_metadata, open_channel
from voice_client.options import CallOptions


async def server_info(target: str, options: CallOptions | None = None) -> pb.ServerInfo:
    """The answer of the gateway at `target`, within `connect_timeout_s`. Raises VoiceError."""
    asked = options or CallOptions()
    metadata = call_metadata(asked)
    channel = open_channel(target, asked)
    try:
        info: pb.ServerInfo = await rpc.VoiceGatewayStub(channel).GetServerInfo(
            pb.GetServerInfoRequest(), timeout=asked.connect_timeout_s, metadata=metadata
        )
        return info
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise Unreachable(f"{target} did not answer within {asked.connect_timeout_s:g} s; try again") from error
        raise of_status(error, target) from error
    finally:
        await channel.close()

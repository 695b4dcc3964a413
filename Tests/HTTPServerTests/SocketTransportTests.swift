import Glibc
import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct SocketTransportTests {
  /// Though its connection is still known to others, so that those who come and go in one round never have more
  /// descriptors than there are places.
  @Test func aClosedOneHasNoDescriptor() throws {
    var numbers: [CInt] = [-1, -1]
    // SAFETY: the kernel writes two numbers.
    try #require(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &numbers) == 0)
    guard let own = Descriptor(adopting: numbers[0]), let peer = Descriptor(adopting: numbers[1])
    else { preconditionFailure("the kernel gave two") }
    let transport = SocketTransport(own, poller: try Poller(), token: 1)
    #expect(transport.watch(for: .input))
    #expect(!transport.peer.hasLeft)

    transport.close()
    var byte: UInt8 = 0
    // SAFETY: the kernel writes at most one byte.
    #expect(unsafe read(peer.number, &byte, 1) == 0)
    #expect(transport.peer.hasLeft)

    // What now has its number is another's.
    let other = try Poller()
    #expect(other.descriptor.number >= 0)
    #expect(!transport.watch(for: .input))
    #expect(transport.write([1].span) == .failed)
    transport.close()
  }
}

import Glibc
import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct ConnectionTableTests {
  private let account = MemoryAccount(MemoryBudget(limit: 100))

  private func socket() throws -> AcceptedSocket {
    guard let socket = Descriptor(adopting: Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
    else { throw HTTPServerError.systemCall(name: "socket", address: "", port: 0, errno: errno) }
    return AcceptedSocket(
      socket: socket, peer: HTTPPeer(address: PeerAddress(bytes: [127, 0, 0, 1], port: 1)))
  }

  @Test func aTokenIsNotGivenTwice() throws {
    var table = ConnectionTable()
    let first = table.insert(try socket(), memory: account)
    let second = table.insert(try socket(), memory: account)
    #expect(first.token != second.token)
    #expect(table[first.token] === first && table[second.token] === second)
    table.remove(first)
    #expect(table[first.token] == nil)
    let third = table.insert(try socket(), memory: account)
    #expect(third.token != first.token)
    #expect(table[first.token] == nil && table[third.token] === third)
    #expect(table.count == 2 && table.all.count == 2)
    #expect(table[UInt64(9)] == nil)
  }
}

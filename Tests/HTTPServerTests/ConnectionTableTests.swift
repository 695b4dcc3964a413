import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct ConnectionTableTests {
  private let account = MemoryAccount(MemoryBudget(limit: 100))

  private func connection(_ token: UInt64) -> Connection {
    var wheel = DeadlineWheel<LoopDeadline>()
    let parts = Connection.Parts(
      transport: BufferTransport(.init(), token: token),
      origin: ConnectionOrigin(
        peer: HTTPPeer(address: PeerAddress(bytes: [127, 0, 0, 1], port: 1))), memory: account,
      date: ResponseDate(), deadline: wheel.insert(.connection(token)),
      lifecycle: ConnectionLifecycle(PhaseTimeouts(head: 1, body: 1, idle: 1, linger: 1)),
      number: 1)
    return Connection(parts, token: token)
  }

  @Test func aTokenIsNotGivenTwice() {
    var table = ConnectionTable()
    let first = table.insert(connection)
    let second = table.insert(connection)
    #expect(first.token != second.token)
    #expect(table[first.token] === first && table[second.token] === second)
    table.remove(first)
    #expect(table[first.token] == nil)
    let third = table.insert(connection)
    #expect(third.token != first.token)
    #expect(table[first.token] == nil && table[third.token] === third)
    #expect(table.count == 2 && table.all.count == 2)
    #expect(table[UInt64(9)] == nil)
  }
}

import Dispatch
import Glibc
import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// What is due comes when it is due, whatever a loop was at when its timer went off.
@Suite struct LoopTimerTests {
  /// The timer is told of once: a turn that ends after many rounds must not have asked for what it does not handle.
  @Test func noTimeIsMissedWhileALoopIsBusy() throws {
    let held = Held()
    let server = try TestServer(application: { exchange in
      if exchange.request.path == "/held" {
        held.hold(exchange)
      } else {
        exchange.respond(HTTPResponse(status: .ok))
      }
    })
    let isOver = Tally()
    let busy = DispatchGroup()
    for _ in 0..<3 {
      DispatchQueue.global().async(group: busy) { [port = server.port] in
        guard let client = Client(port: port) else { return }
        while isOver.value == 0 {
          client.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
          _ = client.receive(until: "\r\n\r\n")
        }
      }
    }
    // Each client that ends its side and waits is looked at 2 ms later.
    var waiting: [Client] = []
    for _ in 0..<600 {
      let client = try server.connect()
      client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
      client.endOutput()
      waiting.append(client)
      usleep(2_000)
    }
    isOver.raise()
    busy.wait()
    let isStopped = Tally()
    server.server.stop(within: .milliseconds(100)) { isStopped.raise() }
    #expect(waitUntil { isStopped.value == 1 })
  }
}

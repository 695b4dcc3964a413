import Dispatch
import Glibc
import HTTPCore
import HTTPServer

/// A server whose answers show what it read. Conformance suites and benchmarks run against it.
@main
enum EchoCommand {
  static func main() {
    var settings = HTTPServerSettings()
    var chain: String?
    var key: String?
    var arguments = CommandLine.arguments.dropFirst()
    while let option = arguments.popFirst() {
      guard let value = arguments.popFirst() else { usage() }
      switch (option, Int(value)) {
      case ("--port", let port?): settings.port = port
      case ("--loops", let count?): settings.loops = count
      case ("--certificate", _): chain = value
      case ("--key", _): key = value
      default: usage()
      }
    }
    if let chain, let key {
      settings.tls = TLSSettings(certificates: [.init(chain: chain, key: key)])
    }
    do {
      let server = try Server(
        settings: settings, application: application)
      server.start()
      print("listening on port \(server.port)")
      dispatchMain()
    } catch {
      fail(error.description)
    }
  }

  /// Sends the bodies of requests for `/stream` back while they arrive, and answers all other requests when they are
  /// complete.
  static let application = Application { head, _ in
    head.path == "/stream"
      ? Reception(.parts) { exchange in
        if let body = exchange.body { StreamingEcho(exchange, body).start() }
      }
      : Reception(.whole()) { $0.respond(answer(to: $0.request)) }
  }

  /// At `/`, GET gets a short text and POST its body, as conformance suites expect. Everything else gets the request as
  /// it was understood.
  private static func answer(to request: HTTPRequest) -> HTTPResponse {
    guard request.path == "/" else { return echo(request) }
    switch request.method {
    case "GET", "HEAD": return greeting
    case "POST": return text(request.body)
    case "OPTIONS": return HTTPResponse(status: .ok, fields: allowed)
    default: return HTTPResponse(status: .methodNotAllowed, fields: allowed)
    }
  }

  private static let greeting = text(
    Array("This is http-echo, of Carousel: Hello, world!\n".utf8))
  private static let allowed: HTTPFields = ["allow": "GET, HEAD, POST, OPTIONS"]

  private static func text(_ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(status: .ok, fields: ["content-type": "text/plain"], body: body)
  }

  private static func echo(_ request: HTTPRequest) -> HTTPResponse {
    var lines = "\(request.method) \(request.path)\n"
    if let query = request.query { lines += "?\(query)\n" }
    for field in request.fields.all { lines += "\(field.name): \(field.value)\n" }
    return text(Array("\(lines)\n".utf8) + request.body)
  }

  private static func usage() -> Never {
    fail("usage: http-echo [--port PORT] [--loops COUNT] [--certificate FILE --key FILE]")
  }

  private static func fail(_ reason: String) -> Never {
    print(reason)
    exit(1)
  }
}

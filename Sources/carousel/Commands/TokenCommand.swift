import API
import ArgumentParser
import Cryptography
import Glibc
import JSON
import ModelFormat
import Serving

/// `carousel token NAME --file FILE`.
struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Makes a token that clients show, and adds its hash to a file of tokens.",
    discussion: """
      The token is printed once and kept nowhere. A server whose tokens_file names the file asks every request for \
      one (authorization: Bearer TOKEN), health checks, / and /metrics apart (metrics_access closes that), and reads the file \
      again when it changes. A line that is taken out of the file is refused from then on.
      """)

  @Argument(help: "What the token is called, for people.")
  var name: String

  @Option(
    help: ArgumentHelp("The file of tokens, which is made if it is not there.", valueName: "file"))
  var file: String

  @Option(
    parsing: .upToNextOption,
    help: "What it is for: predict, operate (the lists of sessions, metrics), or both.")
  var scopes: [AccessToken.Scope] = [.predict]

  @Option(
    parsing: .upToNextOption, help: "The models that it is for, separated by spaces. (default: all)"
  )
  var models: [String] = []

  @Option(help: "Requests a second that it may send. (default: the server's)")
  var rateLimit: String?

  @Option(help: "Requests that it may send at once after a pause. (default: the server's)")
  var rateBurst: String?

  @Option(help: "Requests that it may have under way. (default: the server's)")
  var concurrencyLimit: String?

  func validate() throws {
    guard !name.isEmpty else { throw ValidationError("NAME: found \"\", expected a name") }
    if let other = models.first(where: { !isPlainName($0) }) {
      throw ValidationError(
        "--models: found \(other), expected names of models, separated by spaces")
    }
    _ = try limits()
  }

  private func limits() throws -> RequestLimits.Exceptions {
    func value(_ text: String?, of setting: Setting) throws -> Setting.Value? {
      try text.map { text in
        guard let value = setting.parse(text) else {
          throw ValidationError(
            "--\(setting.optionName): found \(text), expected \(setting.expected)")
        }
        return value
      }
    }
    var limits = RequestLimits.Exceptions()
    if case .number(let rate)? = try value(rateLimit, of: .rateLimit) { limits.rate = rate }
    if case .integer(let burst)? = try value(rateBurst, of: .rateBurst) { limits.burst = burst }
    if case .integer(let count)? = try value(concurrencyLimit, of: .concurrencyLimit) {
      limits.concurrency = count
    }
    return limits
  }

  func run() throws {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    var tokens = unsafe access(file, F_OK) == 0 ? try TokenFile(path: file) : TokenFile()
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    let token = "carousel_" + bytes.map { $0.hexadecimal() }.joined()
    let text = Array(token.utf8)
    let isNew = tokens.add(
      AccessToken(
        name: name, digest: Digest.hash(text.span), scopes: Set(scopes),
        models: models.isEmpty ? nil : Set(models), limits: try limits()))
    guard isNew else {
      throw CarouselError.duplicateToken(name: name, path: file)
    }
    try OpenFile.write(Array(tokens.text.utf8), to: file, isPrivate: true)
    print(token)
  }
}

extension AccessToken.Scope: ExpressibleByArgument {}

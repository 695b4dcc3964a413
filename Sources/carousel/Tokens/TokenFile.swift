import API
import Cryptography
import JSON
import ModelFormat
import Serving

/// The file of `tokens_file`: `{"tokens": [{"name", "sha256", "scopes", "models", "rate_limit", …}]}`. It holds hashes of
/// access tokens, not the tokens.
struct TokenFile: Equatable {
  private(set) var tokens: [AccessToken] = []

  /// The most tokens. More would be user accounts, which belong in a proxy.
  static let maxTokens = 10_000

  init() {}

  /// The file at `path`.
  init(path: String) throws(CarouselError) { try self.init(try readSettingFile(path), path: path) }

  /// - Parameter path: names the file in errors.
  init(_ bytes: [UInt8], path: String) throws(CarouselError) {
    let value: JSONValue
    do { value = try JSONParser.parse(bytes) } catch {
      throw .badTokenFile(path: path, problem: "\(error)")
    }
    let reader = Reader(path: path)
    let file = try reader.object(value, "the file", keys: ["tokens"])
    let entries = try reader.array(file["tokens"], "tokens")
    guard entries.count <= Self.maxTokens else {
      throw reader.failure("tokens", "\(entries.count)", "at most \(Self.maxTokens)")
    }
    var names: [[UInt8]: String] = [:]
    for (index, entry) in entries.enumerated() {
      let token = try reader.token(entry, "tokens[\(index)]")
      guard !tokens.contains(where: { $0.name == token.name }) else {
        throw reader.failure("tokens[\(index)].name", token.name, "a name that no other token has")
      }
      if let other = names.updateValue(token.name, forKey: token.digest) {
        throw reader.failure(
          "tokens[\(index)].sha256", "that of \(other.jsonText)",
          "a hash that no other token has")
      }
      tokens.append(token)
    }
  }

  /// Adds a token; false if the file has one of its name.
  mutating func add(_ token: AccessToken) -> Bool {
    guard !tokens.contains(where: { $0.name == token.name }) else { return false }
    tokens.append(token)
    return true
  }

  /// The file's text, with one line for each token.
  var text: String {
    let lines = tokens.map { token in
      var fields = [
        "\"name\": \(token.name.jsonText)",
        "\"sha256\": \"\(token.digest.map { $0.hexadecimal() }.joined())\"",
        "\"scopes\": [\(token.scopes.map(\.rawValue).sorted().map(\.jsonText).joined(separator: ", "))]",
      ]
      if let models = token.models {
        fields.append("\"models\": [\(models.sorted().map(\.jsonText).joined(separator: ", "))]")
      }
      let limits = token.limits
      if let rate = limits.rate { fields.append("\"rate_limit\": \(Setting.plain(rate))") }
      if let burst = limits.burst { fields.append("\"rate_burst\": \(burst)") }
      if let count = limits.concurrency { fields.append("\"concurrency_limit\": \(count)") }
      return "    { \(fields.joined(separator: ", ")) }"
    }
    return "{\n  \"tokens\": [\n\(lines.joined(separator: ",\n"))\n  ]\n}\n"
  }

  /// Reads parts of the file; errors name the part.
  private struct Reader {
    let path: String

    func failure(_ part: String, _ found: String, _ expected: String) -> CarouselError {
      .badTokenFile(path: path, problem: "\(part): found \(found), expected \(expected)")
    }

    func object(
      _ value: JSONValue, _ part: String, keys: [String]
    ) throws(CarouselError) -> [String: JSONValue] {
      guard case .object(let members) = value else {
        throw failure(part, value.text, "an object")
      }
      var found: [String: JSONValue] = [:]
      for member in members {
        guard keys.contains(member.key) else {
          throw failure(part, member.key.jsonText, keys.joined(separator: ", "))
        }
        found[member.key] = member.value
      }
      return found
    }

    func array(_ value: JSONValue?, _ part: String) throws(CarouselError) -> [JSONValue] {
      guard case .array(let elements)? = value else {
        throw failure(part, value?.text ?? "nothing", "an array")
      }
      return elements
    }

    func string(_ value: JSONValue?, _ part: String) throws(CarouselError) -> String {
      guard case .string(let text)? = value else {
        throw failure(part, value?.text ?? "nothing", "a string")
      }
      return text
    }

    func token(_ value: JSONValue, _ part: String) throws(CarouselError) -> AccessToken {
      let fields = try object(
        value, part,
        keys: [
          "name", "sha256", "scopes", "models", "rate_limit", "rate_burst", "concurrency_limit",
        ])
      let name = try string(fields["name"], "\(part).name")
      guard !name.isEmpty else { throw failure("\(part).name", "\"\"", "a name") }
      let digits = try string(fields["sha256"], "\(part).sha256")
      guard let digest = Self.bytes(hexadecimal: digits), digest.count == Digest.byteCount else {
        throw failure(
          "\(part).sha256", digits.jsonText, "\(2 * Digest.byteCount) hexadecimal digits")
      }
      var scopes: Set<AccessToken.Scope> = []
      for element in try array(fields["scopes"], "\(part).scopes") {
        let text = try string(element, "\(part).scopes")
        guard let scope = AccessToken.Scope(rawValue: text) else {
          throw failure(
            "\(part).scopes", text.jsonText,
            AccessToken.Scope.allCases.map(\.rawValue).joined(separator: " or "))
        }
        scopes.insert(scope)
      }
      guard !scopes.isEmpty else {
        throw failure("\(part).scopes", "[]", "predict, operate, or both")
      }
      var models: Set<String>?
      if let list = fields["models"], list != .null {
        let names = try array(list, "\(part).models").map { (element) throws(CarouselError) in
          try string(element, "\(part).models")
        }
        guard !names.isEmpty, names.allSatisfy(isPlainName) else {
          throw failure(
            "\(part).models", list.text,
            "the names of models, a string each, or null for all of them")
        }
        models = Set(names)
      }
      return AccessToken(
        name: name, digest: digest, scopes: scopes, models: models,
        limits: try limits(fields, part))
    }

    /// A token's own limits, which have the names and bounds of the settings.
    private func limits(
      _ fields: [String: JSONValue], _ part: String
    ) throws(CarouselError) -> RequestLimits.Exceptions {
      func value(of setting: Setting) throws(CarouselError) -> Setting.Value? {
        guard let given = fields[setting.name], given != .null else { return nil }
        guard case .number(let text) = given, let value = setting.parse(text) else {
          throw failure("\(part).\(setting.name)", given.text, setting.expected)
        }
        return value
      }
      var limits = RequestLimits.Exceptions()
      if case .number(let rate)? = try value(of: .rateLimit) { limits.rate = rate }
      if case .integer(let burst)? = try value(of: .rateBurst) { limits.burst = burst }
      if case .integer(let count)? = try value(of: .concurrencyLimit) { limits.concurrency = count }
      return limits
    }

    private static func bytes(hexadecimal digits: String) -> [UInt8]? {
      let values = digits.utf8.map(\.hexadecimalValue)
      guard values.count % 2 == 0, !values.contains(nil) else { return nil }
      let known = values.compactMap { $0 }
      return stride(from: 0, to: known.count, by: 2).map { known[$0] << 4 | known[$0 + 1] }
    }
  }
}

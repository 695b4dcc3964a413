import Cryptography
import Scheduling

/// Encrypts the states that a store keeps. Each is bound to its session and version, so that it can't pass for the
/// state of another session or version.
///
/// A sealed state consists of the length of the key's name (1 byte), the name, 4 bytes that depend on the key alone,
/// and the output of `AuthenticatedCipher` for the state's bytes. The cipher's key is the HMAC-SHA256, under the named
/// key, of the session's model, id, version and steps, which are the cipher's context, too. So a key of the file never
/// encrypts anything itself, and the limit of 2³² encryptions under one key applies to each version of each session.
package struct StateSealing: Sendable {
  private let keys: [StateKey]

  /// Nil if there are no keys.
  ///
  /// - Parameter keys: the first one seals, all of them open.
  package init?(_ keys: [StateKey]) {
    guard !keys.isEmpty else { return nil }
    self.keys = keys
  }

  /// Encrypts the bytes of a state.
  package func seal(
    _ plain: [UInt8], of key: SessionTable.Key, version: Int, steps: Int
  ) -> [UInt8] {
    let context = Self.context(key, version, steps)
    let name = Array(keys[0].name.utf8)
    return [UInt8(name.count)] + name + keys[0].check
      + AuthenticatedCipher.seal(
        plain, key: Digest.authenticate(context[...], key: keys[0].bytes), context: context)
  }

  /// Decrypts what `seal` returned.
  package func open(
    _ sealed: [UInt8], of key: SessionTable.Key, version: Int, steps: Int
  ) throws(StateSealingError) -> [UInt8] {
    guard let name = Self.keyName(of: sealed) else { throw .damaged }
    let rest = sealed[(1 + name.utf8.count)...]
    guard let used = keys.first(where: { $0.name == name }) else { throw .noKey(MissingKey(name)) }
    // Another key of the same name is a mistake in the key file, not damage.
    guard rest.starts(with: used.check) else {
      throw .noKey(MissingKey(name, hasOtherKeyOfSameName: true))
    }
    let context = Self.context(key, version, steps)
    guard
      let plain = AuthenticatedCipher.open(
        Array(rest.dropFirst(used.check.count)),
        key: Digest.authenticate(context[...], key: used.bytes), context: context)
    else { throw .damaged }
    return plain
  }

  /// The name of the key that sealed a state; nil if the bytes can't be a sealed state.
  package static func keyName(of sealed: [UInt8]) -> String? {
    guard let count = sealed.first.map(Int.init), count > 0, sealed.count > count,
      let name = String(validating: sealed[1...count], as: UTF8.self), StateKey.isName(name)
    else { return nil }
    return name
  }

  /// Identifies a state: each part follows its length, so that no two states have the same context.
  private static func context(
    _ key: SessionTable.Key, _ version: Int, _ steps: Int
  ) -> [UInt8] {
    var context = Array("carousel session".utf8)
    for part in [key.model, key.id, "\(version)", "\(steps)"] {
      context += Array("\(part.utf8.count):\(part)".utf8)
    }
    return context
  }
}

/// Why a sealed state can't be opened.
package enum StateSealingError: Error, Equatable, Sendable {
  /// The state was sealed with a key that is not among those given.
  case noKey(MissingKey)
  /// The bytes are not a sealed state, or were changed, or are the state of another session or version.
  case damaged
}

/// A key that a sealed state needs and that is missing.
package struct MissingKey: Error, Equatable, Sendable {
  package let name: String
  /// Whether there is a key of this name with other bytes.
  package let hasOtherKeyOfSameName: Bool

  init(_ name: String, hasOtherKeyOfSameName: Bool = false) {
    self.name = name
    self.hasOtherKeyOfSameName = hasOtherKeyOfSameName
  }

  /// The reason for operators and clients, as the rest of a sentence that begins with the session.
  ///
  /// - Parameter setting: the name of the setting, or option, for the key file.
  package func explanation(setting: String = "session_store_keys") -> String {
    hasOtherKeyOfSameName
      ? "is encrypted with another key \(name) than the one of that name in \(setting), which has other bytes"
      : "is encrypted with a key \(name) that \(setting) does not have"
  }
}

/// A key that seals states, and its name, by which a sealed state tells which key it needs.
package struct StateKey: Sendable, Equatable {
  package let name: String
  let bytes: [UInt8]
  /// Four bytes that tell the key from others of the same name, and reveal nothing else about it.
  let check: [UInt8]

  init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
    check = Array(Digest.authenticate(Array("carousel key".utf8)[...], key: bytes).prefix(4))
  }

  /// The most characters of a name.
  static let maxNameLength = 32

  static func isName(_ text: String) -> Bool {
    (1...maxNameLength).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}

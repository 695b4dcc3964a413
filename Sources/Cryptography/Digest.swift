import CCrypto

/// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104) by OpenSSL.
package enum Digest {
  /// The size in bytes of a hash or an HMAC.
  package static let byteCount = 32

  /// Initialises OpenSSL once: without its configuration file, and without a clean-up at exit, which would
  /// free what other threads still use.
  private static let isReady =
    OPENSSL_init_crypto(
      UInt64(OPENSSL_INIT_NO_LOAD_CONFIG) | UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1

  /// Initialises OpenSSL at the first call.
  static func prepare() { precondition(isReady) }

  /// The SHA-256 of `bytes`.
  package static func hash(_ bytes: Span<UInt8>) -> [UInt8] {
    precondition(isReady)
    var digest = [UInt8](repeating: 0, count: byteCount)
    // SAFETY: reads the bytes lent, writes the 32 bytes that `digest` holds.
    let isDone = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe digest.withUnsafeMutableBufferPointer { digest in
        unsafe SHA256(bytes.baseAddress, bytes.count, digest.baseAddress) != nil
      }
    }
    precondition(isDone, "SHA-256 fails for want of memory only")
    return digest
  }

  /// The HMAC-SHA256 of `message` under `key`, which is not empty.
  package static func authenticate(_ message: ArraySlice<UInt8>, key: [UInt8]) -> [UInt8] {
    precondition(isReady && !key.isEmpty)
    var digest = [UInt8](repeating: 0, count: byteCount)
    // SAFETY: reads the key and the message, writes the 32 bytes that `digest` holds.
    let isDone = unsafe key.withUnsafeBufferPointer { key in
      unsafe message.withUnsafeBufferPointer { message in
        unsafe digest.withUnsafeMutableBufferPointer { digest in
          unsafe HMAC(
            EVP_sha256(), key.baseAddress, CInt(key.count), message.baseAddress, message.count,
            digest.baseAddress, nil) != nil
        }
      }
    }
    precondition(isDone, "an HMAC fails for want of memory only")
    return digest
  }

  /// Whether two byte sequences are equal, in a time that depends only on their lengths.
  package static func areEqual(_ first: ArraySlice<UInt8>, _ second: [UInt8]) -> Bool {
    guard first.count == second.count else { return false }
    // SAFETY: reads as many bytes as both hold.
    return unsafe first.withUnsafeBufferPointer { first in
      unsafe second.withUnsafeBufferPointer { second in
        unsafe CRYPTO_memcmp(first.baseAddress, second.baseAddress, first.count) == 0
      }
    }
  }
}

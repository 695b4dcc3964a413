import CCrypto

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D) by OpenSSL: without the key, what it encrypts can neither be read nor
/// changed.
package enum AuthenticatedCipher {
  /// The bytes of a key.
  package static let keyByteCount = 32
  /// How many bytes longer the sealed data is than the plain data: a nonce before it, a tag after it.
  package static let extraByteCount = nonceByteCount + tagByteCount

  private static let nonceByteCount = 12
  private static let tagByteCount = 16

  /// Encrypts `plain`; returns a nonce, the ciphertext, and a tag that authenticates the ciphertext and `context`.
  ///
  /// The nonce is random, so a key may seal 2³² times (SP 800-38D §8.3): beyond that, two nonces are equal with a
  /// probability of more than 2⁻³².
  package static func seal(_ plain: [UInt8], key: [UInt8], context: [UInt8]) -> [UInt8] {
    precondition(key.count == keyByteCount)
    var random = SystemRandomNumberGenerator()
    let nonce = (0..<nonceByteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
    var sealed = nonce + [UInt8](repeating: 0, count: plain.count + tagByteCount)
    // SAFETY: the lengths are those of the buffers lent; the output takes nonce, as many bytes as `plain` has, and the tag.
    let isDone = unsafe withContext { cipher in
      unsafe sealed.withUnsafeMutableBufferPointer { sealed in
        guard let start = sealed.baseAddress else { return false }
        let text = unsafe start + nonceByteCount
        return unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1
          && update(cipher, EVP_EncryptUpdate, context, to: nil)
          && update(cipher, EVP_EncryptUpdate, plain, to: text)
          && final(cipher, EVP_EncryptFinal_ex)
          && EVP_CIPHER_CTX_ctrl(
            cipher, EVP_CTRL_GCM_GET_TAG, CInt(tagByteCount), text + plain.count) == 1
      }
    }
    precondition(isDone, "AES fails for want of memory only")
    return sealed
  }

  /// Decrypts what `seal` returned for this key and context; nil if the tag shows that it is anything else.
  package static func open(_ sealed: [UInt8], key: [UInt8], context: [UInt8]) -> [UInt8]? {
    precondition(key.count == keyByteCount)
    guard sealed.count >= extraByteCount else { return nil }
    let nonce = Array(sealed.prefix(nonceByteCount))
    var tag = Array(sealed.suffix(tagByteCount))
    let secret = Array(sealed[nonceByteCount..<sealed.count - tagByteCount])
    var plain = [UInt8](repeating: 0, count: secret.count)
    // SAFETY: the lengths are those of the buffers lent; `plain` takes as many bytes as `secret` has.
    let isGenuine = unsafe withContext { cipher in
      unsafe plain.withUnsafeMutableBufferPointer { plain in
        unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1
          && update(cipher, EVP_DecryptUpdate, context, to: nil)
          && update(cipher, EVP_DecryptUpdate, secret, to: plain.baseAddress)
          && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, CInt(tagByteCount), &tag) == 1
          && final(cipher, EVP_DecryptFinal_ex)
      }
    }
    return isGenuine ? plain : nil
  }

  private typealias Update =
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<CInt>?,
      UnsafePointer<UInt8>?, CInt
    ) -> CInt
  private typealias Final =
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<CInt>?) ->
    CInt

  private static func withContext(_ body: (OpaquePointer) -> Bool) -> Bool {
    Digest.prepare()
    // SAFETY: freed at the end, and nobody else has it.
    guard let cipher = unsafe EVP_CIPHER_CTX_new() else { return false }
    defer { unsafe EVP_CIPHER_CTX_free(cipher) }
    return unsafe body(cipher)
  }

  /// Passes `bytes` to the cipher: as context if `output` is nil, else as text.
  private static func update(
    _ cipher: OpaquePointer, _ step: Update, _ bytes: [UInt8],
    to output: UnsafeMutablePointer<UInt8>?
  ) -> Bool {
    guard !bytes.isEmpty else { return true }
    var count: CInt = 0
    // SAFETY: reads the bytes lent; GCM writes as many bytes, if there is an output.
    return unsafe step(cipher, output, &count, bytes, CInt(bytes.count)) == 1
  }

  private static func final(_ cipher: OpaquePointer, _ step: Final) -> Bool {
    var (rest, count): (UInt8, CInt) = (0, 0)
    // SAFETY: GCM writes nothing more.
    return unsafe step(cipher, &rest, &count) == 1
  }
}

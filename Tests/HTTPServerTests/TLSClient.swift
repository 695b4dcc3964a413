import CSSL
import Glibc
import TestSupport

@testable import HTTPServer

/// A blocking client that speaks TLS by OpenSSL.
@safe final class TLSClient {
  private let client: Client
  private let context: OpaquePointer
  private let connection: OpaquePointer

  struct Options {
    /// The name asked for, which the certificate must have; nil: none is asked for or checked.
    var name: String?
    /// In the wire's form: a byte of length before each.
    var protocols: [UInt8] = []
    var certificate: String?
    var maxVersion = TLS1_3_VERSION
    /// The suites of TLS 1.2 that are offered, in OpenSSL's form; nil for OpenSSL's own.
    var suites: String?
    /// What is sent before the handshake.
    var preamble: [UInt8] = []
    /// A session of an earlier connection.
    var session: OpaquePointer?
  }

  /// Connects and shakes hands; nil where either fails.
  init?(port: Int, _ options: Options = Options()) {
    guard let client = Client(port: port), let context = unsafe SSL_CTX_new(TLS_client_method())
    else { return nil }
    self.client = client
    unsafe self.context = context
    unsafe SSL_CTX_ctrl(
      context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(options.maxVersion), nil)
    if let suites = options.suites { unsafe SSL_CTX_set_cipher_list(context, suites) }
    let authority = TLSFixtures.file("authority.pem")
    unsafe precondition(SSL_CTX_load_verify_locations(context, authority, nil) == 1)
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    if let name = options.certificate {
      unsafe SSL_CTX_use_certificate_chain_file(context, TLSFixtures.file("\(name).pem"))
      unsafe SSL_CTX_use_PrivateKey_file(
        context, TLSFixtures.file("\(name)-key.pem"), SSL_FILETYPE_PEM)
    }
    unsafe connection = SSL_new(context)!
    if let name = options.name {
      unsafe cssl_set_host(connection, name)
      unsafe SSL_set1_host(connection, name)
    }
    if !options.protocols.isEmpty {
      unsafe SSL_set_alpn_protos(
        connection, options.protocols, UInt32(options.protocols.count))
    }
    if let session = unsafe options.session { unsafe SSL_set_session(connection, session) }
    unsafe SSL_set_fd(connection, client.descriptor)
    if !options.preamble.isEmpty { client.send(options.preamble) }
    ERR_clear_error()
    guard unsafe SSL_connect(connection) == 1 else { return nil }
  }

  deinit {
    unsafe SSL_free(connection)
    unsafe SSL_CTX_free(context)
  }

  var version: String { unsafe String(cString: SSL_get_version(connection)) }

  /// What ALPN chose; empty where nothing.
  var chosenProtocol: String {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(connection, &name, &count)
    return unsafe String(
      decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  var isResumed: Bool { unsafe SSL_session_reused(connection) == 1 }

  /// The session as it can be resumed, once something was received.
  var session: OpaquePointer { unsafe SSL_get1_session(connection)! }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      ERR_clear_error()
      let count = unsafe bytes.withUnsafeBytes {
        unsafe SSL_write(connection, $0.baseAddress! + sent, Int32($0.count - sent))
      }
      guard count > 0 else { return }
      sent += Int(count)
    }
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Sends close-notify.
  func endOutput() { unsafe SSL_shutdown(connection) }

  /// What arrives next; empty at close-notify, nil where the connection broke or nothing came.
  func receive() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    ERR_clear_error()
    let count = unsafe SSL_read(connection, &buffer, Int32(buffer.count))
    if count > 0 { return Array(buffer.prefix(Int(count))) }
    return unsafe SSL_get_error(connection, count) == SSL_ERROR_ZERO_RETURN ? [] : nil
  }

  /// Everything until close-notify; nil where that does not come.
  func receiveAll() -> [UInt8]? {
    var bytes: [UInt8] = []
    while let piece = receive() {
      if piece.isEmpty { return bytes }
      bytes += piece
    }
    return nil
  }
}

/// Tests/Fixtures/tls.
enum TLSFixtures {
  static func file(_ name: String) -> String { Fixtures.path("tls/\(name)") }

  static func certificate(_ name: String) -> TLSSettings.Certificate {
    .init(chain: file("\(name).pem"), key: file("\(name)-key.pem"))
  }
}

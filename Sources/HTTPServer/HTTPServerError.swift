import Glibc

/// Why a server could not be started, or its certificates not be reloaded.
package enum HTTPServerError: Error, Equatable, Sendable {
  /// The address is neither numeric nor a name that resolves; `code` is getaddrinfo's.
  case unresolvable(address: String, code: CInt)
  /// Another socket listens on this address and port.
  case addressInUse(address: String, port: Int)
  /// A system call failed.
  case systemCall(name: String, address: String, port: Int, errno: CInt)
  /// A certificate, key or authority that can't be used; `problem` is OpenSSL's reason, or ours.
  case certificate(TLSSettings.Role, file: String, problem: String)
  /// The process may not open enough descriptors for a single connection; `needed` is the least limit that would do.
  case tooFewDescriptors(limit: Int, needed: Int)
}

extension HTTPServerError: CustomStringConvertible {
  /// One sentence for the operator.
  package var description: String {
    switch self {
    case .unresolvable(let address, let code):
      // SAFETY: gai_strerror returns a constant string for any code.
      "the address \(address) can't be resolved: \(unsafe String(cString: gai_strerror(code)))"
    case .addressInUse(let address, let port):
      "port \(port) of \(address) is in use, expected it to be free"
    case .certificate(let role, let file, let problem):
      "\(role.rawValue): \(file) can't be used for TLS: \(problem)"
    case .tooFewDescriptors(let limit, let needed):
      "found a limit of \(limit) open files (ulimit -n), expected at least \(needed)"
    case .systemCall(let name, let address, let port, let errno):
      // SAFETY: strerror returns a string that stays valid until this thread's next call of it.
      "\(name) failed for port \(port) of \(address): \(unsafe String(cString: strerror(errno)))"
    }
  }
}

import CConfinement
import Glibc

/// Confines a process before it reads an untrusted file: limits on memory and CPU; reading only of the named files (and those
/// beside them, such as ONNX's external data); writing only to one folder; no sockets, no other programs.
struct Confinement {
  /// The named files.
  let files: [String]
  /// The folder to write to.
  let output: String

  /// The address space for the program, its libraries and threads; `copies` times the files' size is added to it.
  static let baseBytes = 3 << 30
  /// The most copies of a file's bytes at once: raw, unpacked, as floats, being written, being checked.
  static let copies = 12
  static let cpuSeconds = 600

  enum Side {
    /// The confined process; with a list, for people, of the parts that the kernel does not support.
    case child(missing: [String])
    /// The parent, after the child has ended with an exit status or by a signal.
    case exited(status: Int32)
    case ended(signal: Int32)
    case noRoom
  }

  /// Forks and confines the child. Returns in both processes: in the parent after the child has ended.
  func split() -> Side {
    let folders = files.map { file in
      file.contains("/") ? String(file[...(file.lastIndex(of: "/") ?? file.startIndex)]) : "."
    }
    let readable =
      folders + [
        "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", "/dev/urandom", "/dev/null",
      ]
    let bytes = files.reduce(0) { sum, file in
      var status = stat()
      // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
      return unsafe stat(file, &status) == 0 ? sum + Int(status.st_size) : sum
    }
    // SAFETY: the copies of the paths live until they are freed below, after the call that reads them.
    let paths: [UnsafePointer<CChar>?] = unsafe readable.map { unsafe UnsafePointer(strdup($0)) }
    defer {
      for index in unsafe paths.indices {
        unsafe free(UnsafeMutablePointer(mutating: paths[index]))
      }
    }
    var inForce: Int32 = 0
    let outcome = unsafe paths.withUnsafeBufferPointer { paths in
      unsafe output.withCString { output in
        var wanted = unsafe confinement(
          memory_bytes: UInt64(Self.baseBytes + Self.copies * bytes),
          cpu_seconds: UInt64(Self.cpuSeconds), readable: paths.baseAddress,
          readable_count: Int32(readable.count), writable: output)
        return unsafe confine_child(&wanted, &inForce)
      }
    }
    switch outcome {
    case 0:
      let parts = [
        (confined_resources, "bounds on memory and CPU"), (confined_files, "bounds on files"),
        (confined_calls, "ban on sockets and programs"),
      ]
      return .child(missing: parts.filter { Int(inForce) & $0.0 == 0 }.map(\.1))
    case Int32(NO_CHILD): return .noRoom
    case ..<0: return .ended(signal: -outcome)
    default: return .exited(status: outcome - 1)
    }
  }
}

import CConfinement
import Glibc

/// What a process gives up before it reads a stranger's file: memory and CPU beyond a bound, all files but those that were
/// named (with what lies beside them, such as ONNX's external data), all writing outside one folder, sockets, other programs.
struct Confinement {
  /// The files that were named.
  let files: [String]
  /// The folder to write to.
  let output: String

  /// Address space beyond what the files' bytes take several times over: the program, its libraries, its threads.
  static let baseBytes = 3 << 30
  /// Copies of a file's bytes that there may be at once: as they are, unpacked, as floats, as they are written, checked.
  static let copies = 12
  static let cpuSeconds = 600

  enum Side {
    /// The one that is confined, as far as the kernel can; what it can't is listed for people.
    case child(missing: [String])
    /// The other, after the child has ended: with an exit status, or by a signal.
    case exited(status: Int32)
    case ended(signal: Int32)
    case noRoom
  }

  /// Splits the process in two, of which one is confined; returns in both.
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

/// The cgroup of the process and its ancestors, as far as /proc and /sys show them.
struct ControlGroups {
  private let root: String

  /// - Parameter root: a prefix for /proc and /sys; empty except in tests.
  init(root: String = "") { self.root = root }

  /// The folders of `controller`: first that of the process's own cgroup, then those of its ancestors.
  ///
  /// A line of /proc/self/cgroup is `0::/path` for version 2 and `4:memory:/path` for the memory controller of
  /// version 1 (cgroups(7)). A container may see its own cgroup as the root, whatever path the line names.
  func folders(of controller: String) -> [(path: String, version: Version)] {
    var folders: [(path: String, version: Version)] = []
    let groups = text(of: "\(root)/proc/self/cgroup") ?? "0::/\n1:\(controller):/"
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let (mount, version): (String, Version)
      if parts[1].isEmpty {
        (mount, version) = ("\(root)/sys/fs/cgroup", .two)
      } else if parts[1].split(separator: ",").contains(Substring(controller)) {
        (mount, version) = ("\(root)/sys/fs/cgroup/\(controller)", .one)
      } else {
        continue
      }
      var names = parts[2].split(separator: "/")
      while true {
        folders.append((names.reduce(mount) { "\($0)/\($1)" }, version))
        if names.popLast() == nil { break }
      }
    }
    return folders
  }

  enum Version { case one, two }
}

/// The first line of a file; nil if the file can't be read.
func firstLine(of path: String) -> Substring? { text(of: path)?.prefix { $0 != "\n" } }

private func text(of path: String) -> String? {
  (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) }
}

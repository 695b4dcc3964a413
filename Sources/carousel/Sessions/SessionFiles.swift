import API
import Glibc
import Logging
import Serving
import Synchronization

/// The files by which sessions outlive the process (`session_file`).
///
/// Each process has a generation, a number higher than that of any earlier process. When it starts, it marks each file as
/// spent under its generation, on the disk, before the first session moves. At its end it writes a file that is not spent.
/// So the next process can tell which file is valid: one that is not spent and has the highest generation. A spent file
/// belongs to a process that did not end cleanly or still runs; a file of a lower generation is older than what clients
/// know. Their sessions don't continue, and clients are told. Reading and writing need the folders' locks.
final class SessionFiles: Sendable {
  /// What is at a path.
  private enum Content {
    case nothing
    case file(SessionFileHandle, SessionFileHead)
    /// A session file that can't be used; it is kept under another name.
    case useless(suffix: String, reason: String)

    var file: (handle: SessionFileHandle, head: SessionFileHead)? {
      if case .file(let handle, let head) = self { (handle, head) } else { nil }
    }
  }

  private enum Phase {
    case new
    /// Read but not claimed: what was found at the paths, and the highest generation.
    case read([Content], newest: UInt64, locks: [FolderLock])
    /// Claimed: the generation of this process, and the paths with something that must not be touched.
    case claimed(generation: UInt64, blocked: Set<String>)
  }

  private let paths: [String]
  private let logger: Logger
  private let phase = Mutex(Phase.new)

  /// - Parameter paths: the paths to write, in order; the next is used if one can't be written.
  ///   If a path has something other than a session file, that is left alone, and the path with `.sessions` appended is used.
  /// - Throws: if that path can't be used either, if a path is a device, if the name of the partial file is taken by something
  ///   else, or if no path can be written.
  init(paths: [String], logger: Logger) throws(CarouselError) {
    precondition(!paths.isEmpty)
    var (places, empty): ([String], [String]) = ([], [])
    for path in paths {
      let place = try Self.place(for: path, logger)
      places.append(place.path)
      if place.isEmpty { empty.append(place.path) }
    }
    self.paths = places
    self.logger = logger
    try checkPlaces(empty: empty)
  }

  /// The path to use for `path`: a link's target or, if something other than a session file is there, the path with
  /// `.sessions`. Also returns whether nothing is there.
  private static func place(
    for path: String, _ logger: Logger
  ) throws(CarouselError) -> (path: String, isEmpty: Bool) {
    let resolved = SessionFileHandle.resolved(path)
    do throws(SessionFileProblem) {
      return (resolved, try SessionFileHandle.find(at: resolved) == nil)
    } catch {
      guard error.isOtherThing, !SessionFileHandle.isDevice(resolved) else {
        throw .sessionPlace(path: resolved, error)
      }
      let beside = "\(resolved).sessions"
      let isEmpty = try isEmpty(beside)
      logger.error(
        "something else stands where sessions are to be kept: it stays as it is, and they are kept beside it",
        metadata: [
          "file": .string(path), "error": .string("\(error)"), "place": .string(beside),
        ])
      return (beside, isEmpty)
    }
  }

  /// Whether nothing is at `path`; throws if that is something other than a session file.
  private static func isEmpty(_ path: String) throws(CarouselError) -> Bool {
    do throws(SessionFileProblem) { return try SessionFileHandle.find(at: path) == nil } catch {
      throw .sessionPlace(path: path, error)
    }
  }

  /// - Parameter empty: the paths at which nothing is.
  private func checkPlaces(empty: [String]) throws(CarouselError) {
    for path in paths { _ = try Self.isEmpty(SessionFileHandle.partial(of: path)) }
    var first: CarouselError?
    for path in empty {
      do throws(SessionFileProblem) {
        try SessionFileHandle.checkFolder(of: path)
        return
      } catch { first = first ?? .sessionPlace(path: path, error) }
    }
    if let first, empty.count == paths.count { throw first }
  }

  // MARK: - Start

  /// Restores the sessions of the last process. Changes nothing on the disk.
  ///
  /// - Returns: false where that was stopped, as the process ends: then nothing may be claimed.
  @discardableResult
  func read(into sessions: some SessionRestoring) -> Bool {
    let locks = FolderLock.all(ofFiles: paths, patience: .seconds(10), logger)
    var contents = paths.map(Self.content)
    let newest = contents.compactMap { $0.file?.head.generation }.max()
    let kept = contents.firstIndex {
      $0.file.map { !$0.head.isSpent && $0.head.generation == newest } ?? false
    }
    if let kept {
      guard let content = resume(contents[kept], at: paths[kept], in: sessions) else {
        return false
      }
      contents[kept] = content
    }
    let isResumed = kept.map { contents[$0].file != nil } ?? false
    for index in paths.indices where index != kept {
      // The sessions of a spent file were taken over by a process that ended cleanly and wrote them again.
      guard let head = contents[index].file?.head, !isResumed || !head.isSpent,
        !(head.isInStore && sessions.isIntoStore)
      else { continue }
      let reason =
        head.isInStore
        ? "a session_store has taken them over, which is not given now"
        : head.isSpent
          ? "the process that had them did not end cleanly, or runs still"
          : "the process that began after them did not end cleanly, or runs still"
      contents[index] = remember(contents[index], at: paths[index], because: reason, in: sessions)
    }
    phase.withLock { [contents] in $0 = .read(contents, newest: newest ?? 0, locks: locks) }
    return true
  }

  private static func content(of path: String) -> Content {
    // If something else came there since the check, it is left alone; the write at the end reports it.
    guard let (file, head) = (try? SessionFileHandle.find(at: path)) ?? nil else { return .nothing }
    switch head {
    case .success(let head): return .file(file, head)
    case .failure(let flaw): return .useless(suffix: flaw.suffix, reason: "\(flaw)")
    }
  }

  /// Restores the sessions of a file; nil where that was stopped.
  private func resume(
    _ content: Content, at path: String, in sessions: some SessionRestoring
  ) -> Content? {
    guard let (file, head) = content.file else { return content }
    guard file.isWritable else {
      let reason = "it can't be marked as read, for want of permission, and would be read again"
      _ = remember(content, at: path, because: reason, in: sessions)
      return .useless(suffix: "unwritable", reason: reason)
    }
    do throws(SessionFileFlaw) {
      if sessions.isIntoStore {
        // Of a damaged file the store gets nothing, as memory would.
        try head.checkBlocks(byteCount: file.byteCount, from: file.read)
        try file.rewind()
      }
      let result = try sessions.restore(
        head, asLost: false, byteCount: file.byteCount, from: file.read)
      guard result.isWhole else { return nil }
      for (model, count, reason) in result.refused {
        logger.error(
          "sessions can't go on",
          metadata: [
            "model": .string(model), "count": .stringConvertible(count), "error": .string(reason),
          ])
      }
      let refused = result.refused.reduce(0) { $0 + $1.count }
      tell(result, found: head.count, at: path, isIntoStore: sessions.isIntoStore)
      // A file none of whose sessions fit is kept: the wrong models may have been started by mistake.
      guard refused == 0 || refused < head.count else {
        return .useless(suffix: "refused", reason: "none of its sessions is of a model served here")
      }
      return content
    } catch {
      return .useless(suffix: error.suffix, reason: "\(error)")
    }
  }

  private func tell(_ result: SessionImport, found: Int, at path: String, isIntoStore: Bool) {
    var metadata: Logger.Metadata = [
      "restored": .stringConvertible(result.restored), "found": .stringConvertible(found),
    ]
    if isIntoStore {
      metadata["file"] = .string(path)
      metadata["kept_as_in_store"] = .stringConvertible(result.present)
      metadata["expired"] = .stringConvertible(result.expired)
    }
    logger.notice(
      isIntoStore ? "session_file was taken over into the session store" : "sessions restored",
      metadata: metadata)
  }

  /// Remembers that a file's sessions are lost.
  private func remember(
    _ content: Content, at path: String, because reason: String, in sessions: some SessionRestoring
  ) -> Content {
    guard let (file, head) = content.file else { return content }
    // `claim` writes such an empty file where there was none.
    guard head.count > 0 || file.byteCount > SessionFileHead.byteCount else { return content }
    do throws(SessionFileFlaw) {
      _ = try sessions.restore(
        head, asLost: true, byteCount: file.byteCount, from: file.read)
      if head.count > 0 {
        logger.error(
          "sessions are lost",
          metadata: [
            "file": .string(path), "count": .stringConvertible(head.count),
            "error": .string(reason),
          ])
      }
      return content
    } catch {
      return .useless(suffix: error.suffix, reason: "\(error)")
    }
  }

  /// Marks the files that were read as spent, on the disk, so that sessions may move from now on. Unusable files are set aside.
  /// One whose sessions were taken over into a store is the first, so that it is taken over again unless it is marked.
  func claim(for sessions: some SessionRestoring) {
    guard case .read(let contents, let newest, let locks) = phase.withLock({ $0 }) else {
      preconditionFailure("claimed before it was read")
    }
    let generation = max(newest + 1, UInt64(max(0, ProcessStatistics.now * 1000)))
    var blocked: Set<String> = []
    var isClaimed = false
    func isRestored(_ content: Content) -> Bool {
      content.file.map { !$0.head.isSpent && $0.head.generation == newest } ?? false
    }
    let places = Array(zip(paths, contents))
    for (path, content) in places.filter({ isRestored($0.1) })
      + places.filter({ !isRestored($0.1) })
    {
      switch content {
      case .nothing: break
      case .useless(let suffix, let reason):
        if !setAside(path, "\(suffix)-\(generation)", because: reason) {
          blocked.insert(path)
        }
      case .file(let file, var head):
        let wasSpent = head.isSpent
        if sessions.isIntoStore, isRestored(content) { head.isInStore = true }
        (head.generation, head.isSpent) = (generation, true)
        do throws(SessionFileProblem) {
          try file.overwrite(with: head.bytes)
          isClaimed = true
        } catch {
          // A file that can't be marked would be read again by the next process, which would take clients back to old states.
          if !wasSpent { sessions.forget() }
          let reason = "it can't be marked as read: \(error)"
          if !setAside(path, "unwritable-\(generation)", because: reason) { blocked.insert(path) }
        }
      }
    }
    for path in paths where !isClaimed && !blocked.contains(path) {
      // An older process may still write here; the generation tells the next process that its sessions are not the latest.
      let head = SessionFileHead(
        time: ProcessStatistics.now, count: 0, generation: generation, isSpent: true)
      do throws(SessionFileProblem) {
        try SessionFileHandle.replace(path) { _ throws(SessionFileProblem) in head }
        isClaimed = true
      } catch {
        logger.error(
          "sessions may not outlive this process",
          metadata: ["file": .string(path), "error": .string("\(error)")])
      }
    }
    phase.withLock { $0 = .claimed(generation: generation, blocked: blocked) }
    withExtendedLifetime(locks) {}
  }

  /// Renames an unusable file, so that it is not overwritten at the end; false if it can't be renamed.
  private func setAside(_ path: String, _ suffix: String, because reason: String) -> Bool {
    var metadata: Logger.Metadata = ["file": .string(path), "error": .string(reason)]
    defer { logger.error("sessions can't be restored", metadata: metadata) }
    let kept = "\(path).\(suffix)"
    // SAFETY: both paths are zero-terminated strings for the length of the call.
    guard unsafe rename(path, kept) == 0 else {
      metadata["not_kept_aside"] = .string(systemMessage(errno))
      return false
    }
    metadata["kept"] = .string(kept)
    return true
  }

  // MARK: - End

  /// Writes all sessions for the next process; they don't move any more.
  ///
  /// - Returns: whether all went well; false if the first path could not be written, even if another was.
  func write(_ sessions: SessionTransfer) -> Bool {
    sessions.freeze()
    // If nothing was claimed, no session has moved, and the files are still valid.
    guard case .claimed(let generation, let blocked) = phase.withLock({ $0 }) else { return true }
    // A short wait: the process may be killed soon, and working without the lock is a small risk.
    let locks = FolderLock.all(ofFiles: paths, patience: .seconds(2), logger)
    defer { withExtendedLifetime(locks) {} }
    let newest = paths.compactMap { Self.content(of: $0).file?.head.generation }.max() ?? 0
    guard newest <= generation else {
      writeBeside(
        sessions, generation, suffix: "superseded",
        because:
          "another process has begun with the session file, and will not go on with the sessions of this one"
      )
      return sessions.count == 0
    }
    var isWell = true
    for path in paths {
      do throws(SessionFileProblem) {
        guard !blocked.contains(path) else { throw .blocked }
        try write(sessions, to: path, generation)
        return isWell
      } catch {
        isWell = false
        logger.error(
          "sessions can't be kept",
          metadata: ["file": .string(path), "error": .string("\(error)")])
      }
    }
    writeBeside(
      sessions, generation, suffix: "kept",
      because:
        "the next process goes on with the sessions only where they are moved to the session file")
    return false
  }

  /// Writes the sessions, if there are any, to a file of another name, which an operator can restore.
  private func writeBeside(
    _ sessions: SessionTransfer, _ generation: UInt64, suffix: String, because reason: String
  ) {
    guard sessions.count > 0 else { return }
    for path in paths {
      let beside = "\(path).\(suffix)"
      do throws(SessionFileProblem) {
        try write(sessions, to: beside, generation)
        logger.error(
          "\(reason)",
          metadata: ["file": .string(path), "kept": .string(beside)])
        return
      } catch {
        logger.error(
          "sessions can't be kept",
          metadata: ["file": .string(beside), "error": .string("\(error)")])
      }
    }
  }

  private func write(
    _ sessions: SessionTransfer, to path: String, _ generation: UInt64
  ) throws(SessionFileProblem) {
    let start = ContinuousClock.now
    var count = 0
    try SessionFileHandle.replace(path) { (file) throws(SessionFileProblem) in
      var head = try sessions.export(to: file.write)
      count = head.count
      head.generation = generation
      return head
    }
    logger.notice(
      "sessions kept",
      metadata: [
        "count": .stringConvertible(count), "file": .string(path),
        "ms": .stringConvertible((start.duration(to: .now) / .milliseconds(1)).rounded()),
      ])
  }
}

extension SessionFileFlaw {
  /// The suffix for the name of a file that is set aside.
  fileprivate var suffix: String {
    switch self {
    case .version: "refused"
    case .unreadable: "unread"
    case .magic, .truncated, .damaged, .trailing: "damaged"
    }
  }
}

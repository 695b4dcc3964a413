import API
import Glibc
import Logging
import Serving
import Synchronization

/// The places on disk by which sessions outlive the process (`session_file`).
///
/// Each process has a generation, a number higher than that of any before it. When it begins, it marks each file as spent
/// under its generation, on the disk, before the first session moves; at its end it writes a file that is not spent. So
/// whoever begins can tell: a file that is not spent, of the highest generation of all, holds what was last. A spent one
/// is of a process that did not end cleanly, or runs still; one of a lower generation is older than what clients know.
/// Nothing of these is gone on with: their clients are told. Who reads or writes has the folders' locks.
final class SessionFiles: Sendable {
  /// What stands at a place.
  private enum Content {
    case nothing
    case file(SessionFileHandle, SessionFileHead)
    /// A session file that can't be gone on with, and is kept under another name.
    case useless(suffix: String, reason: String)

    var file: (handle: SessionFileHandle, head: SessionFileHead)? {
      if case .file(let handle, let head) = self { (handle, head) } else { nil }
    }
  }

  private enum Phase {
    case new
    /// What was found at the places, until it is claimed, and the highest generation.
    case read([Content], newest: UInt64, locks: [FolderLock])
    /// The generation of this process, and the places where something stands that it must not touch.
    case claimed(generation: UInt64, blocked: Set<String>)
  }

  private let paths: [String]
  private let logger: Logger
  private let phase = Mutex(Phase.new)

  /// - Parameter paths: where to write, in order: the next where one can't be written.
  ///   Where something else than a session file stands, `.sessions` is added to the name, and nothing there is touched.
  /// - Throws: where that is no place either, or is a device, or something else stands beside a place by the name that a
  ///   file has while it is written, or where there is no place at which one could be.
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

  /// Where a link leads that `path` is, or beside it where something else stands than a session file; and whether nothing
  /// stands there.
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

  /// Whether nothing stands at `path`, or else a session file.
  private static func isEmpty(_ path: String) throws(CarouselError) -> Bool {
    do throws(SessionFileProblem) { return try SessionFileHandle.find(at: path) == nil } catch {
      throw .sessionPlace(path: path, error)
    }
  }

  /// - Parameter empty: places where nothing stands.
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

  // MARK: - The beginning

  /// Takes in the sessions that the process before this one left. Changes nothing on the disk.
  func read(into sessions: SessionTransfer) {
    let locks = FolderLock.all(ofFiles: paths, patience: .seconds(10), logger)
    var contents = paths.map(Self.content)
    let newest = contents.compactMap { $0.file?.head.generation }.max()
    let kept = contents.firstIndex {
      $0.file.map { !$0.head.isSpent && $0.head.generation == newest } ?? false
    }
    if let kept { contents[kept] = resume(contents[kept], at: paths[kept], in: sessions) }
    let isResumed = kept.map { contents[$0].file != nil } ?? false
    for index in paths.indices where index != kept {
      // A spent file's sessions were taken over by the process that ended cleanly, which wrote them again.
      guard let head = contents[index].file?.head, !isResumed || !head.isSpent else { continue }
      let reason =
        head.isSpent
        ? "the process that had them did not end cleanly, or runs still"
        : "the process that began after them did not end cleanly, or runs still"
      contents[index] = remember(contents[index], at: paths[index], because: reason, in: sessions)
    }
    phase.withLock { [contents] in $0 = .read(contents, newest: newest ?? 0, locks: locks) }
  }

  private static func content(of path: String) -> Content {
    // What has come to stand there since it was checked stays as it is; who writes there is told.
    guard let (file, head) = (try? SessionFileHandle.find(at: path)) ?? nil else { return .nothing }
    switch head {
    case .success(let head): return .file(file, head)
    case .failure(let flaw): return .useless(suffix: flaw.suffix, reason: "\(flaw)")
    }
  }

  /// Goes on with the sessions of a file.
  private func resume(_ content: Content, at path: String, in sessions: SessionTransfer) -> Content
  {
    guard let (file, head) = content.file else { return content }
    guard file.isWritable else {
      let reason = "it can't be marked as read, for want of permission, and would be read again"
      _ = remember(content, at: path, because: reason, in: sessions)
      return .useless(suffix: "unwritable", reason: reason)
    }
    do throws(SessionFileFlaw) {
      let result = try sessions.restore(
        head, byteCount: file.byteCount, from: file.read)
      for (model, count, reason) in result.refused {
        logger.error(
          "sessions can't go on",
          metadata: [
            "model": .string(model), "count": .stringConvertible(count), "error": .string(reason),
          ])
      }
      let refused = result.refused.reduce(0) { $0 + $1.count }
      logger.notice(
        "sessions restored",
        metadata: [
          "restored": .stringConvertible(result.restored), "found": .stringConvertible(head.count),
        ])
      // Whoever started another model by mistake has them still.
      guard refused == 0 || refused < head.count else {
        return .useless(suffix: "refused", reason: "none of its sessions is of a model served here")
      }
      return content
    } catch {
      return .useless(suffix: error.suffix, reason: "\(error)")
    }
  }

  /// Remembers that the sessions of a file are lost.
  private func remember(
    _ content: Content, at path: String, because reason: String, in sessions: SessionTransfer
  ) -> Content {
    guard let (file, head) = content.file else { return content }
    // As `claim` leaves it, where no file stood.
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

  /// Marks what was read as spent, on the disk: sessions may move from now on. What is of no use is set aside.
  func claim(for sessions: SessionTransfer) {
    guard case .read(let contents, let newest, let locks) = phase.withLock({ $0 }) else {
      preconditionFailure("claimed before it was read")
    }
    let generation = max(newest + 1, UInt64(max(0, ProcessStatistics.now * 1000)))
    var blocked: Set<String> = []
    var isClaimed = false
    for (path, content) in zip(paths, contents) {
      switch content {
      case .nothing: break
      case .useless(let suffix, let reason):
        if !setAside(path, "\(suffix)-\(generation)", because: reason) {
          blocked.insert(path)
        }
      case .file(let file, var head):
        let wasSpent = head.isSpent
        (head.generation, head.isSpent) = (generation, true)
        do throws(SessionFileProblem) {
          try file.overwrite(with: head.bytes)
          isClaimed = true
        } catch {
          // Read again by the next process, it would take clients back to where they were.
          if !wasSpent { sessions.forget() }
          let reason = "it can't be marked as read: \(error)"
          if !setAside(path, "unwritable-\(generation)", because: reason) { blocked.insert(path) }
        }
      }
    }
    for path in paths where !isClaimed && !blocked.contains(path) {
      // An older process may still write here; this tells the next one that its sessions are not the last.
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

  /// Keeps what can't be gone on with from being overwritten at the end; false where it stays in the way.
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

  // MARK: - The end

  /// Writes every session for the next process; they move no more.
  ///
  /// - Returns: whether all went well: false where the first place could not be written, though another may have been.
  func write(_ sessions: SessionTransfer) -> Bool {
    sessions.freeze()
    // Where nothing was claimed no session has moved, and the files are as they were.
    guard case .claimed(let generation, let blocked) = phase.withLock({ $0 }) else { return true }
    // Sooner than it may be killed: it is not much that a lock protects from.
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

  /// Keeps the sessions, if there are any, beside the places where the next process looks, for whoever runs the server.
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
  /// What the name of a file that is kept aside says of it.
  fileprivate var suffix: String {
    switch self {
    case .version: "refused"
    case .unreadable: "unread"
    case .magic, .truncated, .damaged, .trailing: "damaged"
    }
  }
}

import ArgumentParser
import HTTPCore
import JSON
import Scheduling
import SessionStores

/// `carousel sessions`: an operator's commands for a store that no server uses.
struct SessionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sessions",
    abstract: "Lists, copies and checks the sessions of a store that no server uses.",
    discussion: """
      STORE is what session_store says, file:PATH. A file that a server or another command has open is left alone: stop the \
      server first. Where states are encrypted, --keys names the file of session_store_keys. Sessions are read one after \
      another, however many there are.
      """,
    subcommands: [
      ListSessions.self, ExportSessions.self, ImportSessions.self, MoveSessions.self,
      CheckSessions.self,
    ])
}

/// The options of every command that opens a store.
struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The file of session_store_keys, for encrypted states.", valueName: "file"))
  var keys: String?

  /// - Parameter mayBeNew: whether to create the store if there is none.
  func open(_ store: String, mayBeNew: Bool = false) throws(CarouselError) -> StoredSessions {
    guard let path = SettingText.storePath(store) else {
      throw .refused(reason: "STORE: found \(store), expected file: and a path")
    }
    var sealing: StateSealing?
    if let keys { sealing = try stateSealing(byKeysIn: keys) }
    do throws(FileStoreError) {
      return try StoredSessions(path: path, sealing: sealing, mayBeNew: mayBeNew)
    } catch { throw .sessionStore(path: path, error) }
  }
}

/// Calls `body`, which reads or writes `store`; adds the store's path to its errors.
private func with<Value>(
  _ store: String, _ body: () throws(FileStoreError) -> Value
) throws(CarouselError) -> Value {
  do { return try body() } catch {
    throw .sessionStore(path: SettingText.storePath(store) ?? store, error)
  }
}

/// Reports a problem with a session on standard error. `key` is nil if the session's name can't be read.
private func complain(_ store: String, _ key: SessionTable.Key?, _ problem: String) {
  let session =
    key.map { "session \($0.id.printable) of model \($0.model.printable)" }
    ?? "a session without a name that can be read"
  printToStandardError("\(store.printable): \(session): \(problem)")
}

extension StoredSessions {
  /// Reports on standard error if sessions may be missing after the last one that was found.
  fileprivate func complainIfCut(_ store: String) {
    guard isCut else { return }
    printToStandardError(
      "\(store.printable): more sessions may be behind these: the file is damaged, and so are its indexes"
    )
  }
}

extension StoredSessions.Finding {
  /// The session, if its state can be read; otherwise reports the reason on standard error and returns nil.
  fileprivate func readable(in store: String) -> StoredSession? {
    switch self {
    case .session(let session): return session
    case .damaged(let session): complain(store, session.key, "its state is damaged")
    case .locked(let session, let key):
      complain(store, session.key, "its state \(key.explanation(setting: "--keys"))")
    case .unreadable(let key): complain(store, key, "its part of the file is damaged")
    }
    return nil
  }

  fileprivate var session: StoredSession? {
    switch self {
    case .session(let session), .damaged(let session), .locked(let session, _): session
    case .unreadable: nil
    }
  }
}

/// `carousel sessions list STORE`.
struct ListSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Prints a line for each session: model, id, steps, when it began and was last used.")

  @Argument(help: "The store: file:PATH.")
  var store: String

  @OptionGroup var options: StoreOptions

  func run() throws {
    let sessions = try options.open(store)
    let names = try with(store) { () throws(FileStoreError) in try sessions.modelNames() }
    var isWell = true
    while case let batch = try with(store, sessions.next), !batch.isEmpty {
      for finding in batch {
        guard let session = finding.session else {
          _ = finding.readable(in: store)
          isWell = false
          continue
        }
        let model = names[session.key.model] ?? session.key.model
        print(
          "\(model.printable)\t\(session.key.id.printable)\t\(session.steps)\t"
            + "\(Self.time(session.created))\t\(Self.time(session.used))")
      }
    }
    sessions.complainIfCut(store)
    if !isWell || sessions.isCut { throw ExitCode.failure }
  }

  private static func time(_ milliseconds: Int) -> String {
    let time = CivilTime(secondsSince1970: milliseconds / 1000)
    return "\(time.date.year.padded(4))-\(time.date.month.padded())-\(time.date.day.padded())"
      + "T\(time.hour.padded()):\(time.minute.padded()):\(time.second.padded())Z"
  }
}

/// `carousel sessions export STORE`.
struct ExportSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Prints all sessions as lines of JSON, with their states.",
    discussion: """
      The states are not encrypted in what is printed. A session that can't be read is told on standard error, and the exit \
      status is 1. How earlier sessions ended, and the names of models, are not in it; move takes them along.
      """)

  @Argument(help: "The store: file:PATH.")
  var store: String

  @OptionGroup var options: StoreOptions

  func run() throws {
    let sessions = try options.open(store)
    var isWell = true
    print(SessionLines.head)
    while case let batch = try with(store, sessions.next), !batch.isEmpty {
      for finding in batch {
        if let session = finding.readable(in: store) {
          print(SessionLines.line(session))
        } else {
          isWell = false
        }
      }
    }
    sessions.complainIfCut(store)
    if !isWell || sessions.isCut { throw ExitCode.failure }
  }
}

/// `carousel sessions import STORE`.
struct ImportSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Puts what export printed, on standard input, into a store.",
    discussion: """
      The store is made where there is none. A session whose id has another state in the store stays as it is there: it is told, \
      and the exit status is 1. What is read up to a line that is wrong is in the store.
      """)

  @Argument(help: "The store: file:PATH.")
  var store: String

  @OptionGroup var options: StoreOptions

  func run() throws {
    let sessions = try options.open(store, mayBeNew: true)
    let lines = LineReader()
    try SessionLines.checkHead(try lines.next())
    var (count, refused) = (0, 0)
    var batch: [StoredSession] = []
    func flush() throws {
      let sent = batch
      let taken = try with(store) { () throws(FileStoreError) in try sessions.add(sent) }
      for session in taken {
        complain(store, session.key, "the store has another of its id, which stays")
      }
      count += batch.count - taken.count
      refused += taken.count
      batch = []
    }
    while let line = try lines.next() {
      guard !line.isEmpty else { continue }
      do { batch.append(try SessionLines.session(line, number: lines.count)) } catch {
        try flush()
        throw error
      }
      if batch.count == StoredSessions.batchCount { try flush() }
    }
    try flush()
    print("\(count) sessions imported")
    if refused > 0 { throw ExitCode.failure }
  }
}

/// `carousel sessions move FROM TO`.
struct MoveSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move",
    abstract: "Moves all sessions from one store to another.",
    discussion: """
      Also what clients are told of sessions that are gone, and the names of models. \
      A session leaves the first store once the other one has it on the disk; after an interruption the same command goes \
      on. What can't be read, or whose id is taken there, stays: it is told, and the exit status is 1. States are encrypted with the \
      first key of --keys, or of --to-keys.
      """)

  @Argument(help: "The store that sessions leave: file:PATH.")
  var from: String

  @Argument(help: "The store that they go to, which is made where there is none: file:PATH.")
  var to: String

  @OptionGroup var options: StoreOptions

  @Option(help: ArgumentHelp("The file of keys of TO. (default: --keys)", valueName: "file"))
  var toKeys: String?

  func run() throws {
    let source = try options.open(from)
    var targetOptions = options
    if let toKeys { targetOptions.keys = toKeys }
    let target = try targetOptions.open(to, mayBeNew: true)
    let names = try with(from) { () throws(FileStoreError) in try source.names() }
    try with(to) { () throws(FileStoreError) in try target.add(names) }
    var (count, kept) = (0, 0)
    while case let batch = try with(from, source.next), !batch.isEmpty {
      let readable = batch.compactMap { $0.readable(in: from) }
      let taken = try with(to) { () throws(FileStoreError) in try target.add(readable) }
      for session in taken {
        complain(from, session.key, "\(to) has another of its id, so it stays")
      }
      let moved = readable.filter { !taken.contains($0) }
      let stuck = try with(from) { () throws(FileStoreError) in try source.remove(moved) }
      for session in stuck {
        complain(from, session.key, "\(to) has it now, but it can't be taken out of a damaged file")
      }
      count += moved.count
      kept += batch.count - moved.count + stuck.count
    }
    source.complainIfCut(from)
    let endCount = try moveEnds(from: source, to: target)
    print("\(count) sessions moved, and how \(endCount) earlier ones ended")
    if kept > 0 || source.isCut { throw ExitCode.failure }
  }

  /// Moves the records of how earlier sessions ended; returns their number.
  private func moveEnds(
    from source: StoredSessions, to target: StoredSessions
  ) throws(CarouselError) -> Int {
    var count = 0
    while case let ends = try with(from, source.firstEnds), !ends.isEmpty {
      try with(to) { () throws(FileStoreError) in try target.add(ends) }
      try with(from) { () throws(FileStoreError) in try source.remove(ends) }
      count += ends.count
    }
    return count
  }
}

/// `carousel sessions check STORE`.
struct CheckSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Reads all sessions, and tells which are damaged.",
    discussion: """
      Each state is checked against its checksum, or decrypted, and the file's own structure is checked. The exit status is 1 where \
      anything is wrong; nothing is changed.
      """)

  @Argument(help: "The store: file:PATH.")
  var store: String

  @OptionGroup var options: StoreOptions

  func run() throws {
    let sessions = try options.open(store)
    var (count, bad) = (0, 0)
    while case let batch = try with(store, sessions.next), !batch.isEmpty {
      count += batch.count
      bad += batch.count { $0.readable(in: store) == nil }
    }
    sessions.complainIfCut(store)
    let flaws = try with(store, sessions.flaws)
    for flaw in flaws { printToStandardError("\(store): \(flaw)".printable) }
    print("\(count) sessions, \(bad) can't be read")
    if bad > 0 || sessions.isCut || !flaws.isEmpty { throw ExitCode.failure }
  }
}

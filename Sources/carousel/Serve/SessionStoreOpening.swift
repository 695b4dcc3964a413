import Inference
import Logging
import Scheduling
import Serving
import SessionStores

/// Where sessions are kept that survive the process; nil where memory is the place.
///
/// - Throws: where the file can't be used, or `session_file` says another place.
func openSessionStore(
  by settings: Settings, for graphs: [ModelGraph], logger: Logger
) throws(CarouselError) -> FileSessionStore? {
  let sealing = try stateSealing(by: settings)
  guard let path = SettingText.storePath(settings.text(.sessionStore)) else { return nil }
  let file = settings.entry(of: .sessionFile)
  guard settings.sessionFiles.isEmpty else {
    throw .badSetting(
      name: file.source.name(of: .sessionFile), source: file.source,
      found: settings.text(.sessionFile),
      expected: "none beside session_store, which keeps the sessions itself")
  }
  guard let durability = SessionDurability(rawValue: settings.text(.sessionDurability)) else {
    preconditionFailure("the table admits no other")
  }
  do throws(FileStoreError) {
    return try FileSessionStore(
      path: path, durability: durability,
      limits: FileSessionLimits(
        maxBytes: settings.integer(.maxSessionStoreBytes),
        idleTimeout: .seconds(settings.seconds(.sessionIdleSeconds))),
      sealing: sealing,
      served: graphs.filter { $0.isStreamable && $0.decoder == nil }
        .map { ($0.model.description.name, ModelFingerprint($0).text) },
      report: { message in
        logger.error(
          "the session store \(message)", metadata: ["file": .string(path)])
      })
  } catch {
    throw .sessionStore(path: path, error)
  }
}

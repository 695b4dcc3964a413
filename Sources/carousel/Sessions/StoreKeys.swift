import SessionStores

/// What encrypts states in the session store; nil where they are written as they are.
func stateSealing(by settings: Settings, at place: StorePlace) throws(CarouselError)
  -> StateSealing?
{
  let path = settings.text(.sessionStoreKeys)
  guard !path.isEmpty else { return nil }
  guard place != .memory else {
    let entry = settings.entry(of: .sessionStoreKeys)
    throw .badSetting(
      name: entry.source.name(of: .sessionStoreKeys), source: entry.source, found: path,
      expected: "none unless session_store is a file or a Redis: states are encrypted nowhere else")
  }
  return try stateSealing(byKeysIn: path)
}

/// What encrypts states by the keys in the file at `path`.
func stateSealing(byKeysIn path: String) throws(CarouselError) -> StateSealing? {
  let content: [UInt8]
  do throws(CarouselError) { content = try readSettingFile(path) } catch {
    switch error {
    case .file(_, let code): throw .badStoreKeys(path: path, problem: systemMessage(code))
    case .notRegular(_, let kind):
      throw .badStoreKeys(path: path, problem: "found \(kind), expected a regular file")
    default: throw error
    }
  }
  guard let text = String(validating: content, as: UTF8.self) else {
    throw .badStoreKeys(path: path, problem: "found bytes that are no text (UTF-8)")
  }
  do throws(StateKeyFileError) { return StateSealing(try StateKey.keys(in: text)) } catch {
    throw .badStoreKeys(path: path, problem: "\(error)")
  }
}

import Glibc
import ModelFormat
import NumPyFormat
import Serving
import SessionStores

/// Why a command fails. Cases carry facts; `description` is the sentence for the user.
enum CarouselError: Error, Equatable {
  /// A value that the setting does not allow.
  case badSetting(name: String, source: SettingSource, found: String, expected: String)
  /// A name in the settings file or the environment that is not a setting's.
  case unknownSetting(name: String, source: SettingSource, nearest: String?)
  /// Two different values for one setting, under its name and its former name.
  case twoNames(String, String, source: SettingSource)
  /// A settings file that is not a JSON object of plain values.
  case badSettingsFile(path: String, problem: String)
  /// A file that holds something other than tokens.
  case badTokenFile(path: String, problem: String)
  /// A token that can't be added, as the file has one of its name.
  case duplicateToken(name: String, path: String)
  /// A system call that failed for a file; the path `-` is standard input.
  case file(path: String, code: Int32)
  /// Standard output did not accept all that was printed.
  case output(code: Int32)
  /// A .npy or .npz file that can't be read.
  case numPy(NumPyError)
  /// Arrays whose names are not those of the model's inputs. `mayHaveNoName`: with a single input, NumPy's `arr_0` is
  /// allowed too.
  case arrayNames(found: [String], expected: [String], mayHaveNoName: Bool)
  /// An array whose shape the input does not allow. Each of `expected` is allowed (nil is any length), and so is an
  /// additional first axis of sequences.
  case arrayShape(input: String, found: [Int], expected: [[Int?]])
  /// A .npy file, which has one array, for a model of several inputs.
  case oneArray(inputs: [String])
  /// Several arrays to write to a .npy file, which holds one.
  case manyArrays(path: String, names: [String])
  /// Two arrays with the same name: that of an output called `x.0`, and that of output `x` for the first of several
  /// sequences.
  case sameArrayName(String)
  /// States can't be written as arrays.
  case stateWithOutput
  /// Tokens can't be written as arrays.
  case tokensWithOutput
  /// A folder without model folders in it; with `isModel`, it is a model folder itself.
  case noModels(folder: String, isModel: Bool)
  /// The default folder of models does not exist.
  case noModelsFolder(path: String)
  /// A path of `session_file` at which no session file can be made; what is there stays as it is.
  case sessionPlace(path: String, SessionFileProblem)
  /// A file named by `session_store` that can't be used as a store.
  case sessionStore(path: String, FileStoreError)
  /// A file of `session_store_keys` that can't be read; the problem quotes no key.
  case badStoreKeys(path: String, problem: String)
  /// A setting names something other than a regular file; `kind` says in words what it is.
  case notRegular(path: String, kind: String)
  /// A file that a setting names has more bytes than are read.
  case longFile(path: String, found: Int, limit: Int)
  /// A Redis named by `session_store` that can't be used as a store.
  case redis(RedisLocation, RedisProblem)
  /// A file that can't be an input; the `ForeignFile` is its kind, if its first bytes tell it.
  case notAnInput(path: String, ForeignFile?)
  /// A file of a model folder, in the place of the folder.
  case inModelFolder(file: String, folder: String)
  /// A model file, but `carousel-import` was not found.
  case noImporter(file: String)
  /// A model file, but no folder is known for the imported model.
  case noCache(file: String)
  /// A file that could not be imported, and the importer's reason, which names the file.
  case notImported(path: String, reason: String)
  /// A file that can't be read; `remedy` says how to make one, where a command does.
  indirect case settingFile(setting: String, CarouselError, remedy: String?)
  /// An error about an input; `origin` is its file and, for an array, its shape.
  indirect case inInput(origin: String, CarouselError)
  /// A port that another socket listens on; `isTLS` means that of `tls_port`.
  case portInUse(port: Int, address: String, isTLS: Bool)
  /// Two folders whose models have the same name.
  case duplicateModel(name: String, folders: [String])
  /// A `default_model` that is not loaded.
  case unknownDefaultModel(name: String, loaded: [String])
  /// Answers that are not finite, so that they can't be compared.
  case notFinite(output: String)
  /// A prediction that was refused, with the refusal's sentence.
  case refused(reason: String)
}

extension CarouselError: CustomStringConvertible {
  var description: String {
    switch self {
    case .badSetting(let name, let source, let found, let expected):
      "\(name) (\(source)): found \"\(found)\", expected \(expected)"
    case .unknownSetting(let name, let source, let nearest):
      "\(name) (\(source)) is not a setting"
        + (nearest.map { "; did you mean \($0)?" } ?? "; `carousel config` lists them all")
    case .twoNames(let name, let former, let source):
      "\(former) (\(source)): found another value than that of \(name), which is the same setting"
    case .badTokenFile(let path, let problem):
      "\(path) is no file of tokens: \(problem)"
    case .duplicateToken(let name, let path):
      "\(path) has a token called \"\(name)\" already, expected another name, or that its line is taken out first"
    case .badSettingsFile(let path, let problem):
      "\(path): \(problem)"
    case .file(let path, let code):
      "\(inputName(path)): \(systemMessage(code))"
    case .output(let code):
      "standard output: \(systemMessage(code)): not all could be printed"
    case .numPy(let error): "\(error)"
    case .manyArrays(let path, let names):
      "\(path): a .npy file holds one array, expected the name of an .npz file for \(names.joined(separator: ", "))"
    case .sameArrayName(let name):
      "--output: found two answers called \(name), an output and another one's answer to one sequence; \"outputs\" may ask for one of them"
    case .stateWithOutput:
      "--output: found a state or a session in the question, expected none: arrays have no place for it"
    case .tokensWithOutput:
      "--output: found a model whose answers are tokens with their texts and scores, expected none: arrays have no place for them"
    case .arrayNames(let found, let expected, let mayHaveNoName):
      "found \(found.isEmpty ? "no array" : "the arrays \(quoted(found))"), expected one for each input of the model and no other: \(quoted(expected))"
        + (mayHaveNoName
          ? " (or \(quoted([NPZFile.unnamed])), as numpy.savez calls an array without a name)" : "")
    case .arrayShape(let input, let found, let expected):
      "found an array of shape (\(axes(found.map { $0 }))), expected \(list(expected.map { "(\(axes($0)))" }, "or")) for input \"\(input)\""
    case .oneArray(let inputs):
      "a .npy file holds one array, expected an .npz file with one for each input: \(quoted(inputs)), as numpy.savez(FILE, \(inputs[0])=…) writes"
    case .noModels(let folder, isModel: true):
      "\(folder) is a model, expected the folder above it; carousel serve \(folder) serves it alone"
    case .noModels(let folder, isModel: false):
      "\(folder): no model here (a model is a folder with a model.json, as FORMAT.md shows); name model folders, or --models"
    case .noModelsFolder(let path):
      "\(path): \(systemMessage(ENOENT)); name model folders, or --models"
    case .sessionPlace(let path, let problem):
      "session_file: \(path): \(problem)"
    case .sessionStore(let path, let error):
      "session_store: \(path): \(error)"
    case .badStoreKeys(let path, let problem): "session_store_keys: \(path): \(problem)"
    case .notRegular(let path, let kind): "\(path): found \(kind), expected a regular file"
    case .longFile(let path, let found, let limit):
      "\(path): found \(found) bytes, expected a file of at most \(limit)"
    case .redis(let location, let problem):
      "session_store: \(location.description): \(problem.reason)"
    case .notAnInput(let path, let file?): file.questionDescription(of: inputName(path))
    case .notAnInput(let path, nil): "\(inputName(path)): neither JSON nor .npy nor .npz"
    case .inModelFolder(let file, let folder):
      "\(file): found a file of a model folder, expected the folder: \(folder)"
    case .noImporter(let file):
      "\(file): found a file in the place of a model folder, and no program carousel-import beside this one or on the PATH; it makes a folder of such a file where it is installed: carousel-import \(file) -o FOLDER"
    case .noCache(let file):
      "\(file): found a file in the place of a model folder, and neither XDG_CACHE_HOME nor HOME says where its folder may be kept"
    case .notImported(let path, let reason):
      reason.hasPrefix(path) ? reason : "\(path): \(reason)"
    case .settingFile(let setting, let error, let remedy):
      "\(setting): \(error)" + (remedy.map { "; \($0)" } ?? "")
    case .inInput(let origin, let error): "\(origin): \(error)"
    case .portInUse(let port, let address, isTLS: false):
      "port \(port) of \(address) is in use; --port 0 picks a free one"
    case .portInUse(let port, let address, isTLS: true):
      "tls_port: port \(port) of \(address) is in use, expected one that is free"
    case .duplicateModel(let name, let folders):
      "two models are called \"\(name)\": \(folders.joined(separator: " and "))"
    case .unknownDefaultModel(let name, let loaded):
      "default_model is \"\(name)\", which is not loaded; loaded: \(loaded.joined(separator: ", "))"
    case .notFinite(let output):
      "output \"\(output)\" is not finite on this sample, so there is no difference to tell; --input takes another"
    case .refused(let reason):
      reason
    }
  }
}

/// The name of the file at `path` in a sentence.
func inputName(_ path: String) -> String { path == "-" ? "standard input" : path }

/// The lengths of axes, comma-separated; `n` is any length.
private func axes(_ shape: [Int?]) -> String {
  shape.map { $0.map { "\($0)" } ?? "n" }.joined(separator: ", ") + (shape.count == 1 ? "," : "")
}

private func quoted(_ names: [String]) -> String {
  names.map { "\"\($0)\"" }.joined(separator: ", ")
}

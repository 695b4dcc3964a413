import CArguments

/// The arguments behind the program's name.
///
/// Swift's `CommandLine` reads them from /proc, and has none where that is not mounted.
enum ProgramArguments {
  static var all: [String] {
    (0..<carguments_count()).dropFirst().map { index in
      // SAFETY: `index` is below the count; the text ends with a zero byte and stays as long as the process.
      unsafe String(cString: carguments_value(index))
    }
  }
}

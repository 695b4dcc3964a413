import CArguments

/// The program's arguments, without its name.
///
/// Swift's `CommandLine` reads them from /proc, and so has none where /proc is not mounted.
enum ProgramArguments {
  static var all: [String] {
    (0..<carguments_count()).dropFirst().map { index in
      // SAFETY: `index` is below the count; the text ends with a zero byte and stays as long as the process.
      unsafe String(cString: carguments_value(index))
    }
  }
}

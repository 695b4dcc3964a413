/// The possible axes of a graph's inputs, if the file doesn't say which lengths are free.
struct InputAlternatives {
  /// Known facts about an input.
  struct Input: Equatable {
    let name: String
    let kind: SourceTensor.Kind
    /// The sizes of an example; nil for a free axis.
    let sizes: [Int?]
    /// The sizes of an example of free axes; empty if the file does not tell.
    var hints: [Int?] = []
    /// Whether the sizes are not those of an example, but guesses.
    var isGuessed = false
  }

  private enum Layout: CaseIterable {
    /// Elements last, as in recurrent networks.
    case elementsLast
    /// Channels before steps, as in convolutions.
    case elementsSecond
    /// As in the file.
    case given
  }

  let inputs: [Input]

  /// All possible meanings of the inputs, the likeliest first.
  var all: [[SourceGraph.Input]] {
    let isOpen = inputs.contains { $0.sizes.contains(nil) }
    let layouts: [Layout] = isOpen ? [.given, .elementsLast, .elementsSecond] : Layout.allCases
    var found: [[SourceGraph.Input]] = []
    for layout in layouts {
      let inputs = inputs.map { Self.input($0, layout) }
      if !found.contains(inputs) { found.append(inputs) }
    }
    let withMasks = inputs.map { Self.input($0, .elementsLast, isMask: isMask($0)) }
    if inputs.contains(where: isMask), !found.contains(withMasks) { found.append(withMasks) }
    return found
  }

  /// Whether an input may be a number for each step of another, which has the same first sizes.
  private func isMask(_ input: Input) -> Bool {
    guard input.kind == .float, input.sizes.count == 2 else { return false }
    return inputs.contains { other in
      other != input && Array(other.sizes.prefix(2)) == input.sizes
        && other.sizes.count == (other.kind == .float ? 3 : 2)
    }
  }

  private static func input(
    _ input: Input, _ layout: Layout, isMask: Bool = false
  ) -> SourceGraph.Input {
    let dimensions = input.sizes.enumerated().map { axis, size -> SourceGraph.Dimension in
      let open = SourceGraph.Dimension.named("\(input.name).\(axis)")
      guard let size else { return open }
      let elements: Int
      switch layout {
      case .given: return .fixed(size)
      case .elementsLast: elements = input.sizes.count - 1
      case .elementsSecond: elements = 1
      }
      return input.kind == .float && axis == elements && !isMask ? .fixed(size) : open
    }
    var result = SourceGraph.Input(name: input.name, kind: input.kind, dimensions: dimensions)
    (result.example, result.hints) = (input.isGuessed ? [] : input.sizes, input.hints)
    result.isGuessed = input.isGuessed
    return result
  }

  /// The folder of the first alternative that can be translated; if none can, the error of the likeliest.
  ///
  /// - Parameter graph: makes the graph for inputs with these axes.
  func folder(
    named name: String, options: GraphTranslation.Options,
    graph: ([SourceGraph.Input]) throws(ImportError) -> SourceGraph
  ) throws(ImportError) -> FolderDraft {
    var first: ImportError?
    for inputs in Self.leavingOpen(options.shapes, all) {
      do throws(ImportError) {
        return try GraphTranslation(try graph(inputs), options: options).folder(named: name)
      } catch {
        first = first ?? error
      }
    }
    throw first ?? ImportError(file: "", problem: "found no inputs")
  }

  /// The alternatives that leave the axes open which a person gave as 0; all if none does. A batch of one sequence stays.
  private static func leavingOpen(
    _ shapes: [String: [Int]], _ all: [[SourceGraph.Input]]
  ) -> [[SourceGraph.Input]] {
    let fitting = all.filter { inputs in
      inputs.allSatisfy { input in
        zip(shapes[input.name] ?? [], input.dimensions).dropFirst().allSatisfy { size, dimension in
          if case .fixed = dimension { size != 0 } else { true }
        }
      }
    }
    return fitting.isEmpty ? all : fitting
  }

  /// The first result of `translate`, which is called without steps made of vectors at first, then with them: a graph whose input
  /// is read by other axes than its own often makes some.
  static func folder(
    _ options: GraphTranslation.Options,
    translate: (GraphTranslation.Options) throws(ImportError) -> FolderDraft
  ) throws(ImportError) -> FolderDraft {
    var options = options
    options.makesStepsOfVectors = false
    do throws(ImportError) { return try translate(options) } catch {
      options.makesStepsOfVectors = true
      do throws(ImportError) { return try translate(options) } catch _ { throw error }
    }
  }
}

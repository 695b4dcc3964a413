import FoundationEssentials
import TestSupport
import Testing

@testable import ModelImport

@Suite struct KerasModelTests {
  @Test(arguments: KerasCase.all(in: Fixtures.path("keras")))
  func answersAreKeras(_ model: KerasCase) throws {
    #expect(try model.largestError() < 1e-5)
  }

  /// A number in the graph that is the model's number of steps holds for that alone.
  @Test(arguments: ["keras", "h5"])
  func theLengthIsKept(kind: String) throws {
    let path = Fixtures.path("keras/sum_over_length.\(kind)")
    let draft = try importedFolder(ImportRequest(files: [path]))
    let steps = try #require(draft.description.inputs[0].steps)
    #expect(draft.notes.contains { $0.contains("exactly \(steps) steps") }, "\(draft.notes)")
  }

  /// A step of several axes is sent as one list of numbers.
  @Test(arguments: [("images_over_steps", true), ("sum_over_length", false)])
  func stepsOfSeveralAxesAreNoted(name: String, isNoted: Bool) throws {
    let notes = try importedFolder(
      ImportRequest(files: [Fixtures.path("keras/\(name).keras")])
    ).notes
    #expect(notes.contains { $0.contains("[steps, 12]") } == isNoted, "\(notes)")
  }

  /// A model of ids has no padding of its own either.
  @Test(arguments: ["keras", "h5"])
  func stepsOfIdsAreNoted(kind: String) throws {
    let path = Fixtures.path("keras/ids_of_some_steps.\(kind)")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    #expect(notes.contains { $0.contains("has 5 steps in the file, and no mask") }, "\(notes)")
    let masked = try importedFolder(
      ImportRequest(files: [Fixtures.path("keras/masks_of_ids.\(kind)")])
    ).notes
    #expect(!masked.contains { $0.contains("and no mask") }, "\(masked)")
  }

  /// The mask of one input says nothing of another's padding.
  @Test func stepsBesideAMaskAreNoted() throws {
    let path = Fixtures.path("keras/masked_beside_unmasked.keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    let found = notes.filter { $0.contains("and no mask") }
    #expect(found.map { $0.prefix(17) } == [#"the input "plain""#.prefix(17)], "\(notes)")
  }

  /// Keras's default activation of gates has changed: layers written anew are not those that were trained.
  @Test func gatesOfOlderWeightsAreNoted() throws {
    let path = Fixtures.path("keras/older_weights")
    let notes = try importedFolder(ImportRequest(files: ["\(path).h5"], graph: "\(path).json"))
      .notes
    let found = notes.filter { $0.contains("weights are of Keras 2.2.4") }
    #expect(found.map { $0.prefix(12) } == [#"LSTM "plain":"#.prefix(12)], "\(notes)")
  }

  /// An image whose columns are the steps is sent the other way round.
  @Test func columnsAsStepsAreNoted() throws {
    let path = Fixtures.path("keras/columns_as_steps.keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    #expect(
      notes.contains { $0.contains("(8, steps, 1)") && $0.contains("[steps, 8]") }, "\(notes)")
  }

  /// The arrays that Keras's own model takes, whatever a request sends.
  @Test(arguments: [
    ("images_over_steps", [[1, 24, 6, 2]], [false]),
    ("columns_as_steps", [[1, 8, 24, 1]], [false]),
    ("ids_of_some_steps", [[1, 5]], [true]),
    ("vectors_as_a_step", [[1, 6], [1, 6]], [false, false]),
    ("masks_as_steps", [[1, 6, 3], [1, 6], [1, 6]], [false, true, true]),
    ("images_alone", [[1, 8, 6, 1]], [false]),
  ])
  func examplesAreKeras(name: String, shapes: [[Int]], whole: [Bool]) throws {
    let path = Fixtures.path("keras/\(name).keras")
    let draft = try importedFolder(ImportRequest(files: [path]))
    #expect(draft.examples.map(\.shape) == shapes)
    #expect(draft.examples.map(\.isWhole) == whole)
    #expect(draft.examples.map(\.node) == draft.description.inputs.map(\.name))
    #expect(draft.examples[0].stepAxis == (name == "columns_as_steps" ? 2 : nil))
  }

  /// Keras 3 does not mask where a layer has initial states, as Keras 2 did: whoever comes from there is told.
  @Test(arguments: [("2.15", false), ("3.3", true), ("3.15", true)])
  func aMaskThatInitialStatesDropIsNoted(version: String, isNoted: Bool) throws {
    let path = Fixtures.path("keras/masks.\(version).keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    let found = notes.contains {
      $0.contains("called with initial_state and without mask") && $0.contains("compute_mask(")
    }
    #expect(found == isNoted, "\(notes)")
  }

  /// A folder does not draw, where a model does.
  @Test(arguments: [("2.15", "at each call"), ("3.15", "not in predict()")])
  func dropoutInTrainingIsNoted(version: String, what: String) throws {
    let path = Fixtures.path("keras/training.\(version).keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    let found = notes.filter { $0.contains("training=True") && $0.contains(what) }
    let layers = ["Dropout \"dropout\"", "Dropout \"second\"", "Bidirectional", "Functional"]
    #expect(found.count == layers.count, "\(notes)")
    for layer in layers { #expect(found.contains { $0.hasPrefix(layer) }, "\(notes)") }
  }

  @Test func statisticsOfTheBatchAreRefused() throws {
    let request = ImportRequest(files: [Fixtures.path("keras/batch_statistics.keras")])
    let error = #expect(throws: ImportError.self) { try importedFolder(request) }
    #expect(error?.problem.contains("training: found true") == true, "\(String(describing: error))")
  }

  /// PyTorch counts padding where it is uneven, TensorFlow does not.
  @Test func unevenPaddingOfMeansIsNoted() throws {
    let path = Fixtures.path("keras/uneven_means.keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes.filter {
      $0.contains("with PyTorch, Keras also counts the padding")
    }
    #expect(notes.map { $0.prefix(24) } == [#"AveragePooling1D "uneven""#.prefix(24)], "\(notes)")
  }

  /// A model of vectors takes one as a step; sequences stay sequences, also where a Flatten makes a vector of them.
  @Test(arguments: [("steps_of_a_vector", 8, 1), ("flat_steps", 3, 6)])
  func inputsKeepTheirSteps(name: String, size: Int, steps: Int) throws {
    let path = Fixtures.path("keras/\(name).keras")
    let input = try importedFolder(ImportRequest(files: [path])).description.inputs[0]
    guard case .features(size, _, _) = input.kind else {
      Issue.record("found \(input.kind)")
      return
    }
    #expect(input.steps == steps)
  }

  /// What a request sends otherwise than Keras's predict() is said.
  @Test(arguments: [
    ("vectors_as_a_step", 6, 1, "(n, 1, 6)"), ("a_vector_of_steps", 3, 2, "(n, 2, 3)"),
    ("steps_of_another_size", 8, nil, "(n, 3, 8)"),
  ])
  func inputsThatAreSentOtherwiseAreNoted(name: String, size: Int, steps: Int?, shape: String)
    throws
  {
    let path = Fixtures.path("keras/\(name).keras")
    let draft = try importedFolder(ImportRequest(files: [path]))
    let input = draft.description.inputs[0]
    guard case .features(size, _, _) = input.kind else {
      Issue.record("found \(input.kind)")
      return
    }
    #expect(input.steps == steps)
    #expect(draft.notes.contains { $0.contains(shape) }, "\(draft.notes)")
  }

  @Test(arguments: ["2.15", "3.15"])
  func sixteenBitsAreNotedOnce(version: String) throws {
    let path = Fixtures.path("keras/bfloat16.\(version).keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    #expect(notes.count { $0.contains("16 bits (mixed_bfloat16)") } == 1, "\(notes)")
  }

  /// Keras takes the mask from what a MultiHeadAttention read.
  @Test func aMaskThatAttentionTakesIsNoted() throws {
    let path = Fixtures.path("keras/read_twice.keras")
    let notes = try importedFolder(ImportRequest(files: [path])).notes
    #expect(notes.count { $0.contains("masks it for the one that runs first") } == 1, "\(notes)")
  }

  /// Outputs of a dictionary have its keys as names.
  @Test(arguments: ["keras", "h5"])
  func keysNameOutputs(kind: String) throws {
    let path = Fixtures.path("keras/dictionaries.\(kind)")
    let draft = try importedFolder(ImportRequest(files: [path]))
    #expect(draft.description.outputs.map(\.name) == ["first", "second"])
    #expect(draft.outputKeys == ["first", "second"])
  }

  /// Keras's predict() takes what is there of steps that a slice names.
  @Test func aSliceOfMoreStepsThanThereAreKeepsTheirNumber() throws {
    let path = Fixtures.path("keras/more_steps_than_there_are.keras")
    #expect(try importedFolder(ImportRequest(files: [path])).description.inputs[0].steps == 6)
  }

  /// Cases of one's own, in the folder that KERAS_CASES names.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["KERAS_CASES"] != nil))
  func otherAnswersAreKeras() {
    let folder = ProcessInfo.processInfo.environment["KERAS_CASES"] ?? ""
    for model in KerasCase.all(in: folder) {
      do {
        let error = try model.largestError()
        print("\(error < 1e-5 ? "ok" : "WRONG") \(model.name) \(error)")
        #expect(error < 1e-5, "\(model.name)")
      } catch {
        print("REFUSED \(model.name): \(error)")
      }
    }
  }
}

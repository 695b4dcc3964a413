import CHDF5
import Synchronization

/// An HDF5 file in memory, read through libhdf5: groups, attributes of texts, and data sets as floats.
///
/// Only data in the file itself is read: links to other files and external data are refused.
final class HDF5File {
  private let handle: hid_t

  /// The most elements of a data set.
  static let maxElements = 1 << 29
  /// The most bytes of a text.
  static let maxTextBytes = 64 << 20
  /// The most texts of an attribute, and the most members of a group.
  static let maxMembers = 100_000
  /// The highest ratio of deflate (RFC 1951: 258 bytes for a match of 2 bits).
  private static let maxRatio = 1032

  init(_ bytes: [UInt8]) throws(HDF5Error) {
    handle = HDF5Library.lockedWithName { name in
      let access = H5Pcreate(chdf5_file_access())
      defer { H5Pclose(access) }
      guard H5Pset_fapl_core(access, 1 << 20, false) >= 0 else { return -1 }
      // SAFETY: libhdf5 copies the image before it returns, and writes only to its copy.
      let isSet = unsafe bytes.withUnsafeBytes { image in
        unsafe H5Pset_file_image(
          access, UnsafeMutableRawPointer(mutating: image.baseAddress), image.count)
      }
      guard isSet >= 0 else { return -1 }
      return unsafe H5Fopen(name, chdf5_read_only(), access)
    }
    guard handle >= 0 else { throw HDF5Error(path: "/", problem: .notHDF5) }
  }

  deinit {
    let handle = handle
    HDF5Library.locked { _ = H5Fclose(handle) }
  }

  /// Whether a group or data set exists at `path`: names from the root, with `/` between them.
  func exists(_ path: String) -> Bool {
    HDF5Library.locked { isHard(path) }
  }

  /// The names in a group, in alphabetical order.
  func members(of path: String) throws(HDF5Error) -> [String] {
    try read(path) { object throws(HDF5Error) in
      var info = H5G_info_t()
      guard unsafe H5Gget_info(object, &info) >= 0 else {
        throw HDF5Error(path: path, problem: .notGroup)
      }
      guard info.nlinks <= Self.maxMembers else {
        throw HDF5Error(path: path, problem: .tooMany(Int(info.nlinks), limit: Self.maxMembers))
      }
      var names: [String] = []
      for index in 0..<info.nlinks {
        names.append(try name(at: index, in: object, path: path))
      }
      return names
    }
  }

  private func name(
    at index: hsize_t, in group: hid_t, path: String
  ) throws(HDF5Error) -> String {
    let length = unsafe H5Lget_name_by_idx(
      group, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, 0)
    guard length >= 0, length <= Self.maxTextBytes else {
      throw HDF5Error(path: path, problem: .unreadable)
    }
    var name = [CChar](repeating: 0, count: length + 1)
    // SAFETY: the array holds the name and its closing zero, as many bytes as the call is told of.
    let found = unsafe name.withUnsafeMutableBufferPointer { buffer in
      unsafe H5Lget_name_by_idx(
        group, ".", H5_INDEX_NAME, H5_ITER_INC, index, buffer.baseAddress, buffer.count, 0)
    }
    guard found == length else { throw HDF5Error(path: path, problem: .unreadable) }
    return String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The shape of a data set.
  func shape(of path: String) throws(HDF5Error) -> [Int] {
    try read(path) { object throws(HDF5Error) in
      let space = H5Dget_space(object)
      guard space >= 0 else { throw HDF5Error(path: path, problem: .notDataSet) }
      defer { H5Sclose(space) }
      return try shape(of: space, path: path)
    }
  }

  /// The sizes of a data space: at most eight, with at most `maxElements` elements.
  func shape(of space: hid_t, path: String) throws(HDF5Error) -> [Int] {
    let rank = H5Sget_simple_extent_ndims(space)
    guard rank >= 0, rank <= 8 else { throw HDF5Error(path: path, problem: .unreadable) }
    var sizes = [hsize_t](repeating: 0, count: 8)
    guard unsafe H5Sget_simple_extent_dims(space, &sizes, nil) == rank else {
      throw HDF5Error(path: path, problem: .unreadable)
    }
    let shape = sizes.prefix(Int(rank)).map { Int(clamping: $0) }
    guard RowMajor.count(shape, limit: Self.maxElements) != nil else {
      throw HDF5Error(path: path, problem: .tooLarge(limit: Self.maxElements))
    }
    return shape
  }

  /// The numbers of a data set, row-major, as f32.
  func floats(of path: String) throws(HDF5Error) -> [Float] {
    let count = try shape(of: path).reduce(1, *)
    return try read(path) { object throws(HDF5Error) in
      let type = H5Dget_type(object)
      defer { H5Tclose(type) }
      let kind = H5Tget_class(type)
      let isHalfBrain = kind == H5T_OPAQUE && H5Tget_size(type) == 2
      guard kind == H5T_FLOAT || kind == H5T_INTEGER || isHalfBrain else {
        throw HDF5Error(path: path, problem: .notNumbers)
      }
      let (bytes, overflow) = count.multipliedReportingOverflow(by: H5Tget_size(type))
      guard !overflow else {
        throw HDF5Error(path: path, problem: .tooLarge(limit: Self.maxElements))
      }
      try checkStorage(of: object, bytes: bytes, path: path)
      guard count > 0 else { return [] }
      return isHalfBrain
        ? try brainFloats(object, type: type, count: count, path: path)
        : try convertedFloats(object, count: count, path: path)
    }
  }

  private func convertedFloats(
    _ object: hid_t, count: Int, path: String
  ) throws(HDF5Error) -> [Float] {
    var floats = [Float](repeating: 0, count: count)
    // SAFETY: the array has an element for each of the data set's, of the type that they are converted to.
    let status = unsafe floats.withUnsafeMutableBytes { buffer in
      unsafe H5Dread(object, chdf5_native_float(), 0, 0, 0, buffer.baseAddress)
    }
    guard status >= 0 else { throw HDF5Error(path: path, problem: .unreadable) }
    return floats
  }

  /// The numbers of a data set in bfloat16. HDF5 has no such type: Keras writes them as opaque pairs of bytes.
  private func brainFloats(
    _ object: hid_t, type: hid_t, count: Int, path: String
  ) throws(HDF5Error) -> [Float] {
    var halves = [UInt16](repeating: 0, count: count)
    // SAFETY: the array has two bytes for each of the data set's elements, whose type is of two bytes.
    let status = unsafe halves.withUnsafeMutableBytes { buffer in
      unsafe H5Dread(object, type, 0, 0, 0, buffer.baseAddress)
    }
    guard status >= 0 else { throw HDF5Error(path: path, problem: .unreadable) }
    return halves.map { Float(bitPattern: UInt32($0) << 16) }
  }

  /// Throws for data in other files, and for more elements than the stored bytes can hold.
  private func checkStorage(of object: hid_t, bytes: Int, path: String) throws(HDF5Error) {
    let creation = H5Dget_create_plist(object)
    defer { H5Pclose(creation) }
    guard creation >= 0, H5Pget_layout(creation) != H5D_VIRTUAL,
      H5Pget_external_count(creation) == 0
    else { throw HDF5Error(path: path, problem: .elsewhere) }
    let stored = Int(clamping: H5Dget_storage_size(object))
    guard bytes / Self.maxRatio <= stored, bytes == 0 || stored > 0 else {
      throw HDF5Error(path: path, problem: .empty(bytes: bytes, stored: stored))
    }
  }

  /// Whether all names of `path` are links to objects in this file.
  private func isHard(_ path: String) -> Bool {
    var sofar = ""
    for name in path.split(separator: "/") {
      sofar += "/\(name)"
      guard unsafe chdf5_is_hard_link(handle, sofar) != 0 else { return false }
    }
    return true
  }

  /// Opens the object at `path` and returns the result of `body`.
  func read<Value>(
    _ path: String, _ body: (hid_t) throws(HDF5Error) -> Value
  ) throws(HDF5Error) -> Value {
    // The lock's closure can't throw, so it returns a result.
    let result = HDF5Library.locked { () -> Result<Value, HDF5Error> in
      guard isHard(path) else { return .failure(HDF5Error(path: path, problem: .missing)) }
      let object = unsafe H5Oopen(handle, path.isEmpty ? "/" : path, 0)
      guard object >= 0 else { return .failure(HDF5Error(path: path, problem: .unreadable)) }
      defer { H5Oclose(object) }
      do throws(HDF5Error) { return .success(try body(object)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

/// A lock for libhdf5, which is not thread-safe.
enum HDF5Library {
  private static let callCount = Mutex(0)

  static func locked<Value>(_ body: () -> Value) -> Value { lockedWithName { _ in body() } }

  /// - Parameter body: called with a unique name, as libhdf5 confuses files in memory that have the same name.
  static func lockedWithName<Value>(_ body: (String) -> Value) -> Value {
    callCount.withLock { count in
      if count == 0 { chdf5_set_up() }
      count += 1
      return body("image \(count)")
    }
  }
}

/// A problem of an HDF5 file, and its path in the file.
struct HDF5Error: Error, Equatable {
  let path: String
  let problem: Problem

  enum Problem: Equatable {
    case notHDF5, missing, notGroup, notDataSet, notNumbers, notText, unreadable, elsewhere
    case tooMany(Int, limit: Int)
    case tooLarge(limit: Int)
    case empty(bytes: Int, stored: Int)
    case shape(String, found: [Int], expected: [Int])
  }
}

extension HDF5Error: CustomStringConvertible {
  var description: String {
    switch problem {
    case .notHDF5: "not an HDF5 file that libhdf5 opens"
    case .missing: "nothing stands at this path"
    case .notGroup: "found no group, expected one"
    case .notDataSet: "found no data set, expected one"
    case .notNumbers: "found other elements, expected numbers"
    case .notText: "found no text, expected one"
    case .unreadable: "libhdf5 can't read it"
    case .elsewhere: "the data is kept in another file; save the model as one file"
    case .tooMany(let count, let limit): "found \(count) members, expected at most \(limit)"
    case .tooLarge(let limit): "found more than \(limit) elements, at most those are read"
    case .empty(let bytes, let stored):
      "found \(stored) stored bytes, too few for the \(bytes) that its sizes come to"
    case .shape(let name, let found, let expected):
      "\(name): found the sizes \(found), expected \(expected)"
    }
  }
}

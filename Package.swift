// swift-tools-version: 6.2
import PackageDescription

/// Swift 6, strict memory safety, and every warning an error, in all of our targets.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  // Tests run in debug builds, which check at run time that accesses don't overlap; a fourteenth of a short request.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// The modules that tests compute with for most of their time are optimised in debug builds too, with their assertions.
let hot =
  strict + [.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))]

/// Tests may touch memory without a mark at every touch.
let tested: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// C and C++ are optimised in debug builds too: unoptimised kernels take minutes where these take seconds.
let optimised = ["-O3", "-DNDEBUG", "-Wall", "-Wextra", "-Werror"]

let package = Package(
  name: "carousel",
  products: [
    .executable(name: "carousel", targets: ["carousel"]),
    .executable(name: "carousel-import", targets: ["carousel-import"]),
    .executable(name: "http-echo", targets: ["http-echo"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    // Without the JSON trait, whose provider needs all of Foundation.
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .target(name: "CKernels", exclude: ["README.md"], cSettings: [.unsafeFlags(optimised)]),
    .target(
      name: "CSimdJSON", cxxSettings: [.unsafeFlags(optimised + ["-fno-rtti"])],
      // Not by pkg-config: Debian's simdjson.pc carries a flag that SwiftPM prohibits.
      linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CConfinement", cSettings: [.unsafeFlags(optimised)]),
    .target(name: "CArguments", cSettings: [.unsafeFlags(optimised)]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "JSON", dependencies: ["CSimdJSON"], swiftSettings: strict),
    .target(name: "Cryptography", dependencies: ["CCrypto"], swiftSettings: strict),
    .target(
      name: "ModelFormat", dependencies: ["JSON"], exclude: ["FORMAT.md"], swiftSettings: strict),
    .target(
      name: "Inference", dependencies: ["CKernels", "ModelFormat"], swiftSettings: hot),
    .target(
      name: "Scheduling",
      dependencies: ["Inference", .product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: hot),
    .target(
      name: "SessionStores",
      dependencies: [
        "Scheduling", "Inference", "CSQLite", "CLinux", "CSSL", "Compression", "Cryptography",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: strict),
    .target(
      name: "Serving", dependencies: ["Scheduling", "Inference", "ModelFormat", "Cryptography"],
      swiftSettings: strict),
    .target(name: "HTTPCore", dependencies: ["JSON"], swiftSettings: strict),
    .target(name: "HTTP2", dependencies: ["HTTPCore", "CNGHTTP2"], swiftSettings: strict),
    .target(name: "Compression", dependencies: ["CZlib"], swiftSettings: strict),
    .target(
      name: "NumPyFormat", dependencies: ["Compression", "ModelFormat"], swiftSettings: strict),
    .target(
      name: "ModelImport",
      dependencies: ["ModelFormat", "JSON", "NumPyFormat", "CHDF5"],
      exclude: ["IMPORT.md"],
      swiftSettings: hot),
    .target(
      name: "HTTPServer", dependencies: ["CLinux", "CSSL", "HTTPCore", "HTTP2", "Compression"],
      swiftSettings: strict),
    .target(
      name: "API",
      dependencies: [
        "Serving", "Scheduling", "Inference", "ModelFormat", "Cryptography", "HTTPCore", "JSON",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "carousel",
      dependencies: [
        "API", "Serving", "SessionStores", "HTTPServer", "HTTPCore", "Scheduling", "Inference",
        "ModelFormat", "JSON", "NumPyFormat", "Cryptography", "CLinux", "CSSL", "CArguments",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "carousel-import",
      dependencies: [
        "ModelImport", "Inference", "ModelFormat", "NumPyFormat", "CConfinement",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "http-echo", dependencies: ["HTTPServer", "HTTPCore"], swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Inference", "ModelFormat"], path: "Tests/TestSupport",
      swiftSettings: tested),
    .target(
      name: "ConfinementChecks", dependencies: ["CConfinement"], path: "Tests/ConfinementChecks",
      cSettings: [.unsafeFlags(optimised)]),
    .target(
      name: "Fuzzing",
      dependencies: [
        "API", "Serving", "SessionStores", "Scheduling", "Inference", "ModelFormat", "ModelImport",
        "NumPyFormat", "HTTPCore", "HTTP2", "Compression", "Cryptography",
      ],
      path: "Tests/Fuzzing/Targets", swiftSettings: tested),
    .target(
      name: "SimulatedDisk", dependencies: ["CSQLite"], path: "Tests/SimulatedDisk",
      cSettings: [.unsafeFlags(optimised)]),
    // main.c is for where there is no Swift: see scripts/test-kernels.
    .target(
      name: "KernelChecks", dependencies: ["CKernels"], path: "Tests/KernelChecks",
      exclude: ["main.c"], cSettings: [.unsafeFlags(optimised)]),
    .testTarget(
      name: "CKernelsTests", dependencies: ["CKernels", "KernelChecks"], swiftSettings: tested),
    .testTarget(
      name: "FuzzingTests", dependencies: ["Fuzzing", "TestSupport"], swiftSettings: tested),
    .testTarget(
      name: "JSONTests", dependencies: ["JSON", "CSimdJSON", "TestSupport"],
      swiftSettings: tested),
    .testTarget(
      name: "ModelFormatTests", dependencies: ["ModelFormat", "JSON", "TestSupport"],
      swiftSettings: tested),
    .testTarget(
      name: "ModelImportTests",
      dependencies: [
        "ModelImport", "Inference", "ModelFormat", "NumPyFormat", "ConfinementChecks",
        "TestSupport",
      ],
      swiftSettings: tested),
    .testTarget(
      name: "InferenceTests", dependencies: ["Inference", "ModelFormat", "TestSupport"],
      swiftSettings: tested),
    .testTarget(
      name: "SchedulingTests",
      dependencies: ["Scheduling", "Inference", "ModelFormat", "TestSupport"],
      swiftSettings: tested),
    .testTarget(
      name: "SessionStoresTests",
      dependencies: [
        "SessionStores", "Scheduling", "Inference", "CSQLite", "SimulatedDisk", "TestSupport",
      ],
      swiftSettings: tested),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "Serving", "Inference", "ModelFormat", "Cryptography", "TestSupport",
      ],
      swiftSettings: tested),
    .testTarget(
      name: "CryptographyTests", dependencies: ["Cryptography"], swiftSettings: tested),
    .testTarget(
      name: "HTTPCoreTests", dependencies: ["HTTPCore", "TestSupport"], swiftSettings: tested),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "TestSupport"],
      swiftSettings: tested),
    .testTarget(
      name: "HTTP2Tests", dependencies: ["HTTP2", "HTTPCore", "CNGHTTP2", "TestSupport"],
      swiftSettings: tested),
    .testTarget(
      name: "HTTPServerTests",
      dependencies: [
        "HTTPServer", "HTTPCore", "HTTP2", "Compression", "CSSL", "http-echo", "TestSupport",
      ],
      swiftSettings: tested),
    .testTarget(
      name: "APITests",
      dependencies: [
        "API", "Serving", "SessionStores", "Scheduling", "Inference", "ModelFormat", "Cryptography",
        "HTTPCore", "JSON", "TestSupport",
      ],
      swiftSettings: tested),
    .testTarget(
      name: "carouselTests",
      dependencies: [
        "carousel", "API", "Serving", "SessionStores", "HTTPServer", "HTTPCore", "Scheduling",
        "Inference", "ModelFormat", "NumPyFormat", "JSON", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: tested),
  ],
  cLanguageStandard: .c11,
  cxxLanguageStandard: .cxx17
)

// The readers under libFuzzer: for scripts/fuzz-readers alone, which builds them with flags that nothing else is built with.
if Context.environment["CAROUSEL_FUZZ"] != nil {
  package.products.append(.executable(name: "fuzz-readers", targets: ["fuzz-readers"]))
  package.targets += [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzzing/CLibFuzzer"),
    .executableTarget(
      name: "fuzz-readers", dependencies: ["Fuzzing", "CLibFuzzer"], path: "Tests/Fuzzing/Driver",
      swiftSettings: tested),
  ]
}

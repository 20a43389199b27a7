// Owns: where TensorRT's libraries are looked for, and how they are opened.
// Must not know: CUDA, TensorRT's headers.

#include "tensorrt/library.h"

#include <cstdlib>
#include <sstream>

#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>
#endif

namespace video_depth::tensorrt {

std::string version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

#if defined(__linux__)
namespace {

/// The name that every build of a major version answers to.
std::string file_name(const char* stem, int major) {
  return std::string(stem) + ".so." + std::to_string(major);
}

/// Null on failure, with dlerror() set.
void* open_file(const std::string& path) {
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

std::string path_of(void* handle) {
  link_map* map = nullptr;
  return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr ? map->l_name : "";
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// Roots that the user named (several with ':' between them), in the layout of NVIDIA's archives or as the
/// folder of the libraries itself.
std::vector<std::string> named_folders(int major) {
  std::vector<std::string> folders;
  for (const std::string& name :
       {"TENSORRT" + std::to_string(major) + "_ROOT", std::string("TENSORRT_ROOT")}) {
    const char* value = std::getenv(name.c_str());
    std::istringstream roots(value == nullptr ? "" : value);
    for (std::string root; std::getline(roots, root, ':');) {
      if (root.empty()) continue;
      folders.push_back(root + "/lib");
      folders.push_back(root);
    }
  }
  return folders;
}

const char* const kUsualFolders[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                                     "/usr/local/tensorrt/lib", "/opt/tensorrt/lib"};

std::string missing_function(const char* function, const std::string& path) {
  return std::string("Expected the function ") + function + " in " + path + ", which lacks it";
}

/// What is wrong with the version that the library itself tells.
std::string version_problem(int major, int version, const std::string& path) {
  if (version / 10000 != major)
    return "Expected TensorRT " + std::to_string(major) + " in " + path + ", received " +
           version_text(version);
  if (version < kOldestVersion)
    return "Expected TensorRT " + version_text(kOldestVersion) + " or newer in " + path + ", received " +
           version_text(version);
  return "";
}

void check_infer(Library& library, void* handle) {
  LibraryReport& report = library.report;
  report.infer_path = path_of(handle);
  const auto get_version = reinterpret_cast<int32_t (*)()>(dlsym(handle, "getInferLibVersion"));
  if (get_version == nullptr) {
    report.problem = missing_function("getInferLibVersion", report.infer_path);
    return;
  }
  report.version = get_version();
  const auto get_build = reinterpret_cast<int32_t (*)()>(dlsym(handle, "getInferLibBuildVersion"));
  if (get_build != nullptr) report.build = get_build();
  report.problem = version_problem(report.major, report.version, report.infer_path);
  if (!report.problem.empty()) return;
  library.create_builder = dlsym(handle, "createInferBuilder_INTERNAL");
  library.create_runtime = dlsym(handle, "createInferRuntime_INTERNAL");
  if (library.create_builder == nullptr)
    report.problem = missing_function("createInferBuilder_INTERNAL", report.infer_path);
  else if (library.create_runtime == nullptr)
    report.problem = missing_function("createInferRuntime_INTERNAL", report.infer_path);
}

/// Only from the folder of libnvinfer: the parser calls INetworkDefinition by table position, and one that
/// was built with 10.8 has these in another order than every other release of TensorRT 10.
void open_parser(Library& library) {
  LibraryReport& report = library.report;
  const std::string path = folder_of(report.infer_path) + "/" + file_name("libnvonnxparser", report.major);
  void* handle = open_file(path);
  if (handle == nullptr) {
    report.problem = "Expected the ONNX parser beside " + report.infer_path + ", received: " + dlerror();
    return;
  }
  report.parser_path = path_of(handle);
  library.create_parser = dlsym(handle, "createNvOnnxParser_INTERNAL");
  if (library.create_parser == nullptr)
    report.problem = missing_function("createNvOnnxParser_INTERNAL", report.parser_path);
}

enum class Outcome { kAbsent, kUsable, kUnusable };

/// @param folder empty for the system's own search
Outcome try_folder(Library& library, const std::string& folder) {
  const std::string name = file_name("libnvinfer", library.report.major);
  const std::string path = folder.empty() ? name : folder + "/" + name;
  if (!folder.empty() && access(path.c_str(), F_OK) != 0) return Outcome::kAbsent;
  void* handle = open_file(path);
  if (handle == nullptr) {
    const std::string reason = dlerror();
    // If a dependency is missing, glibc names the dependency.
    if (folder.empty() && reason.compare(0, name.size() + 1, name + ":") == 0) return Outcome::kAbsent;
    library.report.problem = "Expected a library that can be opened at " + path + ", received: " + reason;
    return Outcome::kUnusable;
  }
  check_infer(library, handle);
  if (library.report.problem.empty()) open_parser(library);
  if (library.report.problem.empty()) return Outcome::kUsable;
  library.create_builder = library.create_runtime = library.create_parser = nullptr;
  return Outcome::kUnusable;
}

class Search {
 public:
  explicit Search(int major) : major_(major) {}

  /// @param folder empty for the system's own search
  /// @returns whether a usable library is there
  bool finds_in(const std::string& folder) {
    Library library;
    library.report.major = major_;
    const Outcome outcome = try_folder(library, folder);
    if (outcome == Outcome::kUsable || (outcome == Outcome::kUnusable && !has_problem())) best_ = library;
    searched_ += (searched_.empty() ? "" : ", ") + (folder.empty() ? "the system's library path" : folder);
    return outcome == Outcome::kUsable;
  }
  bool has_problem() const { return !best_.report.problem.empty(); }

  /// The usable library, else the first that cannot be used, else that there is none.
  Library result() const {
    Library library = best_;
    if (library.report.major != 0) return library;
    library.report.major = major_;
    library.report.problem =
        "Expected " + file_name("libnvinfer", major_) + " in one of " + searched_ + "; found none";
    return library;
  }

 private:
  const int major_;
  /// Its major is 0 as long as there is none.
  Library best_;
  std::string searched_;
};

} // namespace

Library open_library(int major, const std::vector<std::string>& folders) {
  Search search(major);
  std::vector<std::string> named = folders;
  for (const std::string& folder : named_folders(major)) named.push_back(folder);
  for (const std::string& folder : named) {
    if (!folder.empty() && search.finds_in(folder)) return search.result();
  }
  // What somebody named and cannot be used is said, not passed over for whatever else there is.
  if (search.has_problem()) return search.result();
  if (search.finds_in("")) return search.result();
  for (const char* folder : kUsualFolders) {
    if (search.finds_in(folder)) break;
  }
  return search.result();
}

#else

Library open_library(int major, const std::vector<std::string>&) {
  Library library;
  library.report.major = major;
  library.report.problem = "TensorRT is not supported on this platform: only on Linux";
  return library;
}

#endif

} // namespace video_depth::tensorrt

#pragma once

/// A folder that exists as long as this object, and files in it.

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace mailferry::config {

class TempDir {
public:
    TempDir() {
        auto pattern = (std::filesystem::temp_directory_path() / "mailferry-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
    }
    TempDir(TempDir const&) = delete;
    TempDir& operator=(TempDir const&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::filesystem::path const& path() const { return path_; }

    std::filesystem::path write(std::string_view name, std::string_view bytes,
                                mode_t mode = 0600) const {
        auto const file = path_ / name;
        std::ofstream(file, std::ios::binary) << bytes;
        EXPECT_EQ(::chmod(file.c_str(), mode), 0);
        return file;
    }

private:
    std::filesystem::path path_;
};

}  // namespace mailferry::config

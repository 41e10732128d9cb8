#pragma once

/// What the service publishes about how much it takes, as numbers (brief, chapter 7). A test server
/// may enforce a part of them: then the connector is told the same part.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mailferry::graph {

/// Per (app, mailbox) where nothing else is said.
struct Limits {
    std::uint32_t concurrent_max = 4;
    std::uint64_t requests_max = 10'000;
    std::chrono::milliseconds request_window{600'000};
    std::uint64_t upload_bytes_max = 150'000'000;
    std::chrono::milliseconds upload_window{300'000};
    /// Percent of requests_max and upload_bytes_max that we take: others may act for the mailbox.
    std::uint32_t share_percent = 99;

    /// Requests of the whole app in flight: grows and shrinks with what the service says.
    std::uint32_t app_concurrent_first = 64;
    std::uint32_t app_concurrent_max = 512;

    /// Pauses where the service names none: first, 2 × first, … max.
    std::chrono::milliseconds backoff_first{2'000};
    std::chrono::milliseconds backoff_max{300'000};
    std::uint32_t attempts_max = 8;  ///< Of one request, before its failure is handed on.

    /// A part of what is allowed in a window (at least one unit of each), or a multiple.
    Limits scaled(double part_of_it) const {
        auto const part = [&](std::uint64_t units) {
            return std::max<std::uint64_t>(
                1, static_cast<std::uint64_t>(static_cast<double>(units) * part_of_it));
        };
        auto limits = *this;
        limits.requests_max = part(requests_max);
        limits.upload_bytes_max = part(upload_bytes_max);
        return limits;
    }
    /// The same rates over shorter windows and pauses.
    Limits sped_up(std::uint32_t factor) const {
        auto part = scaled(1.0 / factor);
        part.request_window = request_window / factor;
        part.upload_window = upload_window / factor;
        part.backoff_first = backoff_first / factor;
        part.backoff_max = backoff_max / factor;
        return part;
    }
};

}  // namespace mailferry::graph

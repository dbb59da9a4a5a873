#include "adapters/auditor/http_post.h"

#include <httplib.h>

#include <chrono>

#include "broker/core/limits.h"

namespace flagpost::auditor {
namespace {

constexpr std::chrono::seconds connect_time_max{10};
constexpr std::chrono::seconds silence_max{20};
constexpr std::chrono::seconds answer_time_max{60};

}  // namespace

std::optional<HttpAnswer> http_post(const std::string& url, const std::string& body) {
    const auto scheme = url.find("://");
    const auto path = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
    const auto server = url.substr(0, path);
    if (!(server.starts_with("http://") || server.starts_with("https://")) || server.ends_with("/"))
        throw std::runtime_error{"not a URL such as https://witness.example/prefix: " + url};
    httplib::Client client{server};
    client.set_connection_timeout(connect_time_max);
    client.set_read_timeout(silence_max);
    client.set_write_timeout(silence_max);

    HttpAnswer answer{};
    const auto until = std::chrono::steady_clock::now() + answer_time_max;
    httplib::Request request;
    request.method = "POST";
    request.path = path == std::string::npos ? "/" : url.substr(path);
    request.set_header("Content-Type", "text/plain; charset=utf-8");
    request.body = body;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
        answer.body.append(data, size);
        return answer.body.size() <= limits::note_size_max && std::chrono::steady_clock::now() < until;
    };
    const auto result = client.send(request);
    if (!result) return std::nullopt;
    answer.status = result->status;
    return answer;
}

}  // namespace flagpost::auditor

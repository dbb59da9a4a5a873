#include "adapters/school/pinging.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adapters/desk/words.h"

namespace flagpost::school {
namespace {

constexpr unsigned doublings_max = 10;

std::chrono::microseconds wait_after(unsigned failures) {
    const auto doubled = ping_retry_first * (1 << std::min(failures - 1, doublings_max));
    return std::min<std::chrono::microseconds>(doubled, ping_retry_max);
}

}  // namespace

bool Pinging::begin(std::optional<Instant> newest, Instant now) {
    if (under_way_) return false;
    if (!newest || *newest <= state_.told) {
        // Somebody has opened what nobody could be told of: there is nothing left to fail.
        state_.failing_since.reset();
        state_.failures = 0;
        state_.why.clear();
        return false;
    }
    if (not_before_ && now < *not_before_ && *not_before_ - now <= ping_retry_max) return false;
    under_way_ = newest;
    return true;
}

void Pinging::ended(const std::optional<std::string>& failure, Instant now) {
    if (failure) {
        if (!state_.failing_since) state_.failing_since = now;
        state_.why = *failure;
        ++state_.failures;
        not_before_ = now + wait_after(state_.failures);
    } else {
        state_ = State{*under_way_, {}, {}, 0};
        not_before_ = now + ping_gap;
    }
    under_way_.reset();
}

std::string text_of(const Pinging::State& state) {
    nlohmann::json text{
        {"told_us",  to_us(state.told)},
        {"why",      state.why        },
        {"failures", state.failures   }
    };
    if (state.failing_since) text["failing_since_us"] = to_us(*state.failing_since);
    return text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Pinging::State state_of(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return {};
    const auto number = [&](const char* key) {
        return json.contains(key) && json[key].is_number_integer() ? json[key].get<std::int64_t>() : 0;
    };
    Pinging::State state{from_us(number("told_us")), {}, {}, static_cast<unsigned>(number("failures"))};
    if (json.contains("failing_since_us")) state.failing_since = from_us(number("failing_since_us"));
    if (json.contains("why") && json["why"].is_string()) state.why = json["why"].get<std::string>();
    return state;
}

std::string failure_in_words(const Pinging::State& state) {
    if (!state.failing_since) return {};
    return "Nobody could be told outside Flagpost that there is a new notice since " +
           desk::in_words(*state.failing_since) + ": " + state.why + ". It is tried again. Look here often.";
}

}  // namespace flagpost::school

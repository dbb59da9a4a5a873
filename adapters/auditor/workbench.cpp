#include "adapters/auditor/workbench.h"

#include <algorithm>
#include <stdexcept>

namespace flagpost::auditor {
namespace {

struct Abandoned {};

}  // namespace

Workbench::Workbench() : worker_{[this](const std::stop_token& stop) { run(stop); }} {}

Workbench::~Workbench() {
    worker_.request_stop();
    changed_.notify_all();
}

bool Workbench::begin(const std::string& name, Work work) {
    const std::lock_guard lock{lock_};
    if (const auto there = pieces_.find(name); there != pieces_.end() && there->second.state.running)
        return true;
    if (waiting_.size() >= pieces_waiting_max) return false;
    Piece& piece = pieces_[name];
    piece.state.asked = piece.state.running = true;
    piece.state.percent = 0;
    piece.work = std::move(work);
    std::erase(ended_, name);
    waiting_.push_back(name);
    changed_.notify_all();
    return true;
}

Workbench::State Workbench::look(const std::string& name, std::chrono::milliseconds patience) {
    std::unique_lock lock{lock_};
    const auto ended = [&] {
        const auto piece = pieces_.find(name);
        return piece == pieces_.end() || !piece->second.state.running;
    };
    changed_.wait_for(lock, patience, ended);
    const auto piece = pieces_.find(name);
    if (piece == pieces_.end()) return {};
    if (std::erase(ended_, name) > 0) ended_.push_back(name);  // what is looked at stays
    return piece->second.state;
}

void Workbench::run(const std::stop_token& stop) {
    std::unique_lock lock{lock_};
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        const std::string name = waiting_.front();
        const Work work = pieces_.at(name).work;
        lock.unlock();
        std::any result;
        std::string failure;
        try {
            result = work([&](std::uint64_t done, std::uint64_t all) {
                if (stop.stop_requested()) throw Abandoned{};
                const std::lock_guard again{lock_};
                pieces_.at(name).state.percent =
                    all == 0 ? 0 : static_cast<unsigned>(std::min(done, all) * 100 / all);
            });
        } catch (const Abandoned&) {
            return;
        } catch (const std::exception& error) {
            failure = error.what();
        }
        lock.lock();
        waiting_.pop_front();
        Piece& piece = pieces_.at(name);
        piece.state.running = false;
        piece.state.failure = failure;
        if (failure.empty()) piece.state.result = std::move(result);
        piece.work = {};
        ended_.push_back(name);
        forget_the_unseen();
        changed_.notify_all();
    }
}

void Workbench::forget_the_unseen() {
    while (ended_.size() > results_kept_max) {
        pieces_.erase(ended_.front());
        ended_.pop_front();
    }
}

}  // namespace flagpost::auditor

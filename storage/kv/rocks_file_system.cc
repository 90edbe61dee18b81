#include "storage/kv/rocks_file_system.h"

#include <functional>
#include <string>
#include <utility>

namespace larder {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus ToIoStatus(const Status& status) {
  if (status.ok()) return IOStatus::OK();
  const std::string message(status.message());
  if (status.code() == StatusCode::kResourceExhausted) return IOStatus::NoSpace(message);
  return IOStatus::IOError(message);
}

// One call with the hooks around it.
IOStatus Hooked(KvFileHooks* hooks, const KvFileEvent& event,
                const std::function<IOStatus()>& call) {
  const Status before = hooks != nullptr ? hooks->Before(event) : Status::Ok();
  IOStatus status = before.ok() ? call() : ToIoStatus(before);
  if (status.IsIOError() && !status.IsNoSpace()) status.SetRetryable(true);
  if (status.ok() && hooks != nullptr) hooks->After(event);
  return status;
}

class HookedFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  HookedFile(std::unique_ptr<FSWritableFile> file, std::string path, uint64_t size_bytes,
             KvFileHooks* hooks)
      : FSWritableFileOwnerWrapper(std::move(file)),
        path_(std::move(path)),
        size_bytes_(size_bytes),
        hooks_(hooks) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* context) override {
    return Grow(data.size(), [&] { return target()->Append(data, options, context); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info, IODebugContext* context) override {
    return Grow(data.size(), [&] { return target()->Append(data, options, info, context); });
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* context) override {
    IOStatus status = Hooked(hooks_, Event(KvFileCall::kTruncate),
                             [&] { return target()->Truncate(size, options, context); });
    if (status.ok()) size_bytes_ = size;
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    return Hooked(hooks_, Event(KvFileCall::kSync),
                  [&] { return target()->Sync(options, context); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Hooked(hooks_, Event(KvFileCall::kSync),
                  [&] { return target()->Fsync(options, context); });
  }

 private:
  KvFileEvent Event(KvFileCall call) const {
    KvFileEvent event;
    event.call = call;
    event.path = path_;
    event.size_bytes = size_bytes_;
    return event;
  }
  IOStatus Grow(size_t grown_bytes, const std::function<IOStatus()>& call) {
    KvFileEvent event = Event(KvFileCall::kAppend);
    event.grown_bytes = grown_bytes;
    IOStatus status = Hooked(hooks_, event, call);
    if (status.ok()) size_bytes_ += grown_bytes;
    return status;
  }

  const std::string path_;
  uint64_t size_bytes_;
  KvFileHooks* const hooks_;
};

class HookedDirectory : public FSDirectory {
 public:
  HookedDirectory(std::unique_ptr<FSDirectory> directory, std::string path, KvFileHooks* hooks)
      : directory_(std::move(directory)), path_(std::move(path)), hooks_(hooks) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return Hooked(hooks_, Event(), [&] { return directory_->Fsync(options, context); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* context,
                               const rocksdb::DirFsyncOptions& how) override {
    return Hooked(hooks_, Event(),
                  [&] { return directory_->FsyncWithDirOptions(options, context, how); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* context) override {
    return directory_->Close(options, context);
  }

 private:
  KvFileEvent Event() const {
    KvFileEvent event;
    event.call = KvFileCall::kSyncDirectory;
    event.path = path_;
    return event;
  }

  const std::unique_ptr<FSDirectory> directory_;
  const std::string path_;
  KvFileHooks* const hooks_;
};

class HookedFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit HookedFileSystem(KvFileHooks* hooks)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), hooks_(hooks) {}

  const char* Name() const override { return "LarderHookedFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file,
                           IODebugContext* context) override {
    return Open(path, 0, file,
                [&] { return target()->NewWritableFile(path, options, file, context); });
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* context) override {
    uint64_t size_bytes = 0;
    target()->GetFileSize(path, IOOptions(), &size_bytes, context).PermitUncheckedError();
    return Open(path, size_bytes, file,
                [&] { return target()->ReopenWritableFile(path, options, file, context); });
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<FSDirectory>* directory, IODebugContext* context) override {
    IOStatus status = target()->NewDirectory(path, options, directory, context);
    if (status.ok()) {
      *directory = std::make_unique<HookedDirectory>(std::move(*directory), path, hooks_);
    }
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* context) override {
    return Hooked(hooks_, Event(KvFileCall::kRemove, path, ""),
                  [&] { return target()->DeleteFile(path, options, context); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override {
    return Hooked(hooks_, Event(KvFileCall::kRename, from, to),
                  [&] { return target()->RenameFile(from, to, options, context); });
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* context) override {
    return Hooked(hooks_, Event(KvFileCall::kLink, from, to),
                  [&] { return target()->LinkFile(from, to, options, context); });
  }

 private:
  static KvFileEvent Event(KvFileCall call, const std::string& path, const std::string& to) {
    KvFileEvent event;
    event.call = call;
    event.path = path;
    event.target = to;
    return event;
  }
  IOStatus Open(const std::string& path, uint64_t size_bytes, std::unique_ptr<FSWritableFile>* file,
                const std::function<IOStatus()>& open) {
    KvFileEvent event = Event(KvFileCall::kCreate, path, "");
    event.size_bytes = size_bytes;
    IOStatus status = Hooked(hooks_, event, open);
    if (status.ok()) {
      *file = std::make_unique<HookedFile>(std::move(*file), path, size_bytes, hooks_);
    }
    return status;
  }

  KvFileHooks* const hooks_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> MakeFileSystem(KvFileHooks* hooks) {
  return std::make_shared<HookedFileSystem>(hooks);
}

}  // namespace larder

using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RaftFast.Storage;

/// <summary>
/// One process a directory. The lock is the kernel's, on the open file, and dies with the process; the file stays, and holds the owner's
/// process id for people.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    public const string Name = "lock";

    private readonly SafeFileHandle file;

    private DirectoryLock(SafeFileHandle file) => this.file = file;

    /// <exception cref="StorageException">Another process has it.</exception>
    /// <exception cref="IOException">The file can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file can't be made.</exception>
    public static DirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, Name);
        SafeFileHandle file;
        if (OperatingSystem.IsWindows())
        {
            try
            {
                file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            }
            catch (IOException) when (File.Exists(path))
            {
                throw InUse(directory, path);
            }
        }
        else
        {
            // .NET's own locking (FileShare.None) can be switched off from outside.
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (Libc.Lock(file, Libc.LockExclusive | Libc.LockNonBlocking) < 0)
            {
                file.Dispose();
                throw Libc.LastError is Libc.WouldBlock or Libc.WouldBlockOnBsd
                    ? InUse(directory, path)
                    : new IOException($"its file system can't lock files ({Libc.LastMessage})");
            }
        }
        RandomAccess.SetLength(file, 0);
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        return new DirectoryLock(file);
    }

    public void Dispose() => file.Dispose();

    private static StorageException InUse(string directory, string path)
    {
        string owner = "";
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using StreamReader reader = new(stream);
            if (int.TryParse(reader.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                owner = $" {id}";
        }
        catch (IOException)
        {
            // The number is a courtesy; the refusal stands without it.
        }
        return new StorageException($"the data directory {directory} is in use by another process{owner}; stop that one or choose another --data-dir");
    }
}

namespace RaftFast.Linearizability;

/// <summary>Values that are not a client's: those are 0 and above, and mean whatever the test lets them mean.</summary>
public static class RegisterValue
{
    /// <summary>The key does not exist. As an expected value: <c>If-None-Match: *</c>; as a new one: the key is deleted.</summary>
    public const int Absent = -1;

    /// <summary>As an expected value: any but <see cref="Absent"/> (<c>If-Match: *</c>).</summary>
    public const int Any = -2;
}

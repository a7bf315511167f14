namespace RaftFast.Linearizability;

/// <summary>What a <see cref="Transition"/> asks of the register's value.</summary>
internal enum Guard
{
    None,
    Equal,
    NotEqual,
}

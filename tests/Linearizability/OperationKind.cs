namespace RaftFast.Linearizability;

public enum OperationKind
{
    Get,
    Put,
    CompareAndSet,
    Delete,
}

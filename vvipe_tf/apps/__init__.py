"""What people use a trained model for."""
